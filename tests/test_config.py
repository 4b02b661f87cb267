"""The environment is read in one place, and bad settings are said clearly."""

import os
import re
from pathlib import Path

import pytest

from unetbook import config as configuration
from unetbook.config import (
    TIERS,
    cache_dir,
    check_versions,
    describe,
    hold_stderr,
    load_config,
    runs_dir,
    start,
)

PACKAGE = Path(configuration.__file__).parent


def test_without_settings_it_is_the_quick_tier_on_drawn_pets():
    config = load_config()
    assert (config.tier, config.data) == ("quick", "drawn")


def test_settings_choose_tier_and_data(monkeypatch):
    monkeypatch.setenv("UNETBOOK_TIER", "full")
    monkeypatch.setenv("UNETBOOK_DATA", "some/folder")
    config = load_config()
    assert (config.tier, config.data) == ("full", "some/folder")
    assert config.filters == TIERS["full"].filters


def test_an_unknown_tier_names_itself_and_the_choices(monkeypatch):
    monkeypatch.setenv("UNETBOOK_TIER", "fast")
    with pytest.raises(ValueError, match="'fast'.*quick, standard, full"):
        load_config()


def test_on_colab_the_photographs_are_the_default(monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert load_config().data == "oxford"
    monkeypatch.setattr(configuration, "device_name", lambda: "Tesla T4")
    config = load_config()
    assert (config.tier, config.mixed_precision) == ("standard", True)


def test_kaggle_is_not_taken_for_colab_whose_image_it_builds_on(monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    monkeypatch.setattr(configuration, "device_name", lambda: "Tesla T4")
    config = load_config()
    assert (config.tier, config.data) == ("quick", "drawn")


def test_16_bits_are_left_to_a_gpu(monkeypatch):
    monkeypatch.setenv("UNETBOOK_TIER", "full")
    monkeypatch.setattr(configuration, "device_name", lambda: "CPU")
    assert not load_config().mixed_precision


def test_folders_follow_their_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path))
    monkeypatch.delenv("UNETBOOK_RUNS")
    assert cache_dir() == tmp_path
    assert runs_dir() == tmp_path / "runs"


def test_a_tilde_in_the_folder_for_runs_is_the_home(monkeypatch):
    monkeypatch.setenv("UNETBOOK_RUNS", "~/runs")
    assert runs_dir() == Path.home() / "runs"


def test_gpus_take_their_memory_as_they_need_it(monkeypatch):
    import tensorflow as tf

    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda *given: grown.append(given)
    )
    assert configuration.find_gpus() == ["a", "b"]
    assert grown == [("a", True), ("b", True)]


@pytest.fixture
def model_on_a_gpu(monkeypatch):
    """A model that Keras compiles with XLA, because it believes in a GPU."""
    import keras
    import tensorflow as tf

    gpu = type("Device", (), {"device_type": "GPU"})
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda *kind: [gpu])
    monkeypatch.setattr(configuration, "device_name", lambda: "GeForce RTX 5090")
    monkeypatch.setattr(keras.Model, "jit_compile", keras.Model.jit_compile)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    assert model.jit_compile
    return model


def test_a_setting_turns_jit_compile_off(monkeypatch, capsys, model_on_a_gpu):
    monkeypatch.setenv("UNETBOOK_XLA", "off")
    start()
    assert "RTX 5090, XLA off |" in capsys.readouterr().out
    assert model_on_a_gpu.jit_compile is False, "for prediction, uncompiled"
    for choice in ("auto", True):
        model_on_a_gpu.compile(loss="mse", jit_compile=choice)
        assert model_on_a_gpu.jit_compile is False


def test_without_the_setting_keras_decides_on_jit_compile(capsys, model_on_a_gpu):
    start()
    assert "XLA" not in capsys.readouterr().out
    model_on_a_gpu.compile(loss="mse")
    assert model_on_a_gpu.jit_compile is True


def test_an_unknown_choice_about_xla_names_itself(monkeypatch):
    monkeypatch.setenv("UNETBOOK_XLA", "no")
    with pytest.raises(ValueError, match="UNETBOOK_XLA='no': set it to off"):
        start()


def test_the_line_names_data_tier_device_and_versions():
    line = describe(TIERS["quick"])
    pattern = r"data: drawn \| tier: quick \| device: .+ \| Python .+ Keras .+ unetbook"
    assert re.match(pattern, line)
    assert "\n" not in line


def test_a_version_out_of_bounds_names_the_package_and_the_command(monkeypatch):
    monkeypatch.setattr(configuration, "version", lambda package: "2.15.0")
    with pytest.raises(ImportError, match="pip install 'tensorflow>=2.19,<2.22'"):
        check_versions()


def test_start_prints_one_line(capfd):
    start()
    captured = capfd.readouterr()
    assert captured.out.count("\n") == 1
    assert captured.err == ""


def test_on_colab_without_a_gpu_it_says_where_to_look(capsys, monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    monkeypatch.setattr(configuration, "device_name", lambda: "CPU")
    start()
    assert capsys.readouterr().out.count('"No GPU is seen"') == 1
    monkeypatch.setattr(configuration, "device_name", lambda: "Tesla T4")
    start()
    assert "no GPU" not in capsys.readouterr().out


def test_held_lines_are_shown_when_the_import_fails(capfd):
    def fail():
        with hold_stderr():
            os.write(2, b"why it failed\n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert "why it failed" in capfd.readouterr().err


def test_held_lines_are_dropped_when_all_is_well(capfd):
    with hold_stderr():
        os.write(2, b"harmless\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


def test_only_config_reads_the_environment():
    readers = [
        str(module.relative_to(PACKAGE))
        for module in PACKAGE.rglob("*.py")
        if re.search(r"os\.environ|getenv", module.read_text())
    ]
    assert readers == ["config.py"]


@pytest.mark.parametrize(
    "module",
    [
        "augmentation",
        "blocks",
        "metrics",
        "model",
        "checkpoints",
        "files",
        "inspection",
        "pictures",
        "prediction",
        "pretrained",
        "progress",
        "results",
        "training",
        "figures/charts",
        "figures/diagram",
        "figures/places",
        "figures/matrices",
        "figures/pictures",
        "explorers/network",
    ],
)
def test_modules_for_every_backend_do_not_import_tensorflow(module):
    source = (PACKAGE / f"{module}.py").read_text()
    assert not re.search(r"(?m)^\s*(import|from) tensorflow\b", source)
