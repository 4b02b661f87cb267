# The book's commands. README.md gives the plain ones behind them.
# Everything runs in the active virtual environment, or else in .venv, made here.
# PYTHON=uv stands for a Python that uv downloads, if this machine's do not fit.
PYTHON ?= python3
ifeq ($(PYTHON),uv)
override PYTHON := python3
export UNETBOOK_PYTHON := uv
endif
ENVIRONMENT := $(or $(VIRTUAL_ENV),.venv)
RUN := "$(ENVIRONMENT)/bin/python"

.DEFAULT_GOAL := help
.PHONY: help setup book pdf site test pages grading outputs weights skips models quick bench resume devices machines \
	figures backends lint format address constraints candidate clean teacher assignments grade feedback formgrader \
	slides

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 22

setup:  ## install what the book needs
	@$(PYTHON) tools/set_up.py "$(ENVIRONMENT)"

book: setup  ## execute the chapters and render the site into _build/html
	$(RUN) tools/build.py

pdf: setup  ## the same, and the whole book as one PDF: needs Chromium, qpdf
	$(RUN) tools/build.py --pdf

site: setup  ## the same with PDF, or nothing if a file is missing: needs both and npm
	$(RUN) tools/build.py --publish

test: setup  ## run the tests, and every chapter against its stored outputs
	$(RUN) tools/build.py --stored
	env -u UNETBOOK_DATA -u UNETBOOK_TIER -u UNETBOOK_RUNS $(RUN) -m pytest -n auto

pages: setup  ## look at every page and explorer in a browser: needs Chromium and npm
	$(RUN) tools/browser.py
	$(RUN) tools/build.py --stored
	$(RUN) -m pytest -m browser tests/browser

grading: teacher  ## grade made-up hand-ins: needs bubblewrap
	$(RUN) -m pytest -n 2 -m grading tests/teaching

outputs: setup  ## run the chapters and store their outputs in the notebooks
	$(RUN) tools/outputs.py $(CHAPTERS)

weights: setup  ## train the network that chapter 8 loads
	$(RUN) -m experiments ship drawn

skips: setup  ## train the networks whose skips chapter 6 cuts
	$(RUN) -m experiments run skips

models: setup  ## write the shipped networks as ONNX files for the page "Try it"
	$(RUN) -m experiments models

quick: setup  ## measure the quick tier over three seeds
	$(RUN) -m experiments run quick

bench: setup  ## compare the article's input pipeline with ours
	$(RUN) -m experiments bench

resume: setup  ## kill a training, resume it, compare the weights
	$(RUN) -m experiments resume

backends: setup  ## compare predictions on JAX and PyTorch with TensorFlow's
	$(RUN) -m experiments backends

devices: setup  ## compare a training on two devices with one
	$(RUN) -m experiments devices

machines: setup  ## train in two processes, end one, go on, and compare
	$(RUN) -m experiments machines

figures: setup  ## draw the pictures of README.md and the introduction again
	$(RUN) tools/figures.py

teacher: setup  ## install what a teacher needs to grade
	@$(RUN) -c "import nbgrader, jupytext, psutil" 2>/dev/null || \
		$(RUN) -m uv pip install --python $(RUN) -r teach/requirements.txt -c constraints.txt

assignments: teacher  ## make the assignments with the numbers of your class
	@$(RUN) -m teach.assignments

grade: teacher  ## grade the files in teach/class/handins: make grade ASSIGNMENT=1
	@$(RUN) -m teach.grade "$(ASSIGNMENT)" $(if $(FOLDER),--folder "$(FOLDER)") \
		$(if $(AGAIN),--again) $(if $(TRUST),--trust "$(TRUST)")

formgrader: teacher  ## open Formgrader, to mark the free-text answers
	cd teach && PATH="$(abspath $(ENVIRONMENT))/bin:$$PATH" jupyter lab

feedback: teacher  ## write the feedback pages: make feedback ASSIGNMENT=1
	@$(RUN) -m teach.feedback "$(ASSIGNMENT)"

slides: setup  ## make a lecture's slides from the chapters' figures
	$(RUN) -m teach.slides

lint: setup  ## check the style of code and notebooks
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: setup  ## apply the style
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

address: setup  ## stamp the repository's address: make address URL=https://...
	$(RUN) tools/address.py "$(URL)" "$(BRANCH)"

constraints: setup  ## resolve constraints.txt again from requirements.txt
	$(RUN) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--no-emit-package unetbook --no-annotate requirements.txt -o constraints.txt

candidate: setup  ## test the next TensorFlow on the next Python
	$(RUN) tools/candidate.py

clean:  ## remove what the build wrote
	rm -rf _build
