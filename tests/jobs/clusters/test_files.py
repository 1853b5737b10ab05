"""The files clusters are started with are well-formed, and every command in them exists."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import speechcraft

ROOT = Path(__file__).parents[3]
CLUSTERS = ROOT / "jobs" / "clusters"
DOCKER = ROOT / "docker"
SCRIPTS = sorted([*CLUSTERS.glob("*.sh"), *DOCKER.glob("*.sh")])
DOCKERFILES = sorted(DOCKER.glob("Dockerfile*"))
YAMLS = sorted([*CLUSTERS.glob("*.yaml"), *DOCKER.glob("*.yaml")])


def linted(tool: str, *arguments: object) -> None:
    """Run a linter of the test environment; it must have nothing to say."""
    path = shutil.which(tool, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert path, f"{tool} is not installed: make test-install"
    said = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def words(node: object) -> list[str]:
    """Every text in a YAML document."""
    if isinstance(node, dict):
        return [word for value in node.values() for word in words(value)]
    if isinstance(node, list):
        return (
            [" ".join(node)] if all(isinstance(n, str) for n in node) else [w for n in node for w in words(n)]
        )
    return [node] if isinstance(node, str) else []


def test_there_is_something_to_check() -> None:
    assert len(SCRIPTS) >= 3
    assert len(DOCKERFILES) >= 3
    assert len(YAMLS) >= 4


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_shell_scripts_pass_shellcheck_and_may_be_run(path: Path) -> None:
    linted("shellcheck", "--severity=warning", path)
    assert os.access(path, os.X_OK)


def test_images_pass_hadolint() -> None:
    """DL3008 wants Debian packages by exact version; Debian keeps one of each, so such a file would rot."""
    linted("hadolint", "--ignore", "DL3008", *DOCKERFILES)


def test_compose_file_follows_the_compose_specification() -> None:
    linted("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / "compose.yaml")


def test_rayjob_has_the_fields_that_kuberay_knows() -> None:
    schema = Path(__file__).parent / "rayjob.schema.json"
    linted("check-jsonschema", "--schemafile", schema, CLUSTERS / "rayjob.yaml")


def test_rayjob_pods_have_one_cluster_and_one_way_to_ask_for_memory() -> None:
    """Ray sizes a node by its container's limits: a request below would be memory that is not there."""
    cluster = read(CLUSTERS / "rayjob.yaml")["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert container["resources"]["requests"] == container["resources"]["limits"]
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_autoscaler_file_follows_the_schema_of_ray() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(read(CLUSTERS / "autoscaler.yaml")))


def test_ray_is_never_started_without_a_token() -> None:
    """Who reaches a Ray cluster without one runs what he likes on it."""
    assert "RAY_AUTH_MODE=token" in (CLUSTERS / "slurm.sh").read_text("utf-8")
    assert read(CLUSTERS / "rayjob.yaml")["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    assert read(DOCKER / "compose.yaml")["x-node"]["environment"]["RAY_AUTH_MODE"] == "token"
    scaler = read(CLUSTERS / "autoscaler.yaml")
    for command in scaler["head_start_ray_commands"] + scaler["worker_start_ray_commands"]:
        assert "ray start" not in command or "RAY_AUTH_MODE=token" in command


@pytest.mark.parametrize("path", [*YAMLS, *SCRIPTS], ids=lambda p: p.name)
def test_options_of_commands_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    usage = {"annotate": speechcraft("annotate", "--help").out, "start": ray_start()}
    for command in words(read(path)) if path.suffix == ".yaml" else text.replace("\\\n", " ").splitlines():
        for verb, known in (("speechcraft annotate", usage["annotate"]), ("ray start", usage["start"])):
            if verb in command and not command.lstrip().startswith("#"):
                asked = [w.split("=")[0] for w in command.split(verb)[1].split() if w.startswith("--")]
                assert [option for option in asked if option not in known] == [], command


def ray_start() -> str:
    """What `ray start --help` prints."""
    command = [str(Path(sys.executable).parent / "ray"), "start", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
