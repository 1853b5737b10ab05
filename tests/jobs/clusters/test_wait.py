"""A cluster that is not there in time is said to be missing. That one is waited for, the Slurm test shows."""

from __future__ import annotations

import socket

import pytest

from jobs.clusters.wait import LATE, main


def test_an_address_nobody_answers_at_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unheard.getsockname()[1]}"
        assert main(["2", "--address", address, "--timeout", "0.2"]) == LATE
    assert capsys.readouterr().err == f"No Ray cluster answered at {address} within 0.2 s.\n"


@pytest.mark.parametrize("address", ["", "auto", "10.0.0.1", "10.0.0.1:", ":6379", "a:b", "a:-1", "a:99999"])
def test_what_is_no_address_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["2", "--address", address])
    assert "an address is host:port" in capsys.readouterr().err
