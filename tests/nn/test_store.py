import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tiny_networks import write_network

from cormack.core.errors import ConfigurationError, DependencyError, InputError, WeightsError
from cormack.nn import engine as engine_module
from cormack.nn import store
from cormack.nn.engine import ENGINES, open_session
from cormack.nn.store import LARGEST_MB, PACKAGED, load_network, networks
from cormack.nn.task import read_task, write_task


@pytest.fixture
def folder(tmp_path):
    return write_network(tmp_path / "tiny", [[1.0]], [0.0])


def test_a_network_is_loaded_once(folder):
    network = load_network(folder)
    assert network.task.name == "tiny"
    assert load_network(str(folder)) is network


def test_changed_weights_are_refused(folder):
    load_network(folder)
    data = bytearray((folder / "model.onnx").read_bytes())
    data[-1] ^= 1
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(WeightsError, match="SHA-256"):
        load_network(folder)


def test_what_is_missing_is_named(folder):
    with pytest.raises(WeightsError, match="no network 'nowhere'"):
        load_network("nowhere")
    (folder / "model.onnx").unlink()
    with pytest.raises(WeightsError, match=r"lacks model\.onnx"):
        load_network(folder)


def test_an_unknown_key_is_named(folder):
    text = (folder / "task.toml").read_text().replace("multiple_of", "multiples_of")
    (folder / "task.toml").write_text(text)
    with pytest.raises(ConfigurationError, match="did you mean 'multiple_of'"):
        load_network(folder)


def test_a_graph_that_is_none_is_refused(folder):
    (folder / "model.onnx").write_bytes(b"no graph")
    task = read_task(folder / "task.toml")
    write_task(replace(task, sha256="0c1cd6c2c1a6bd4a6b0c4b8f0e3b5d5c"), folder / "task.toml")
    with pytest.raises(WeightsError, match="SHA-256"):
        load_network(folder)
    for engine in ("openvino", "onnxruntime"):
        with pytest.raises(WeightsError, match="no graph"):
            open_session(folder / "model.onnx", engine=engine)


def test_another_number_of_channels_is_refused(tmp_path):
    folder = write_network(tmp_path / "two", [[1.0, 1.0]], [0.0])
    with pytest.raises(WeightsError, match="takes 2 channels, its task makes 1"):
        load_network(folder)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_both_engines_give_the_same(tmp_path, engine):
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(2, 1, 3, 3, 3))
    folder = write_network(tmp_path / "tiny", kernel, [0.5, -0.5])
    image = rng.normal(size=(1, 1, 6, 7, 8)).astype(np.float32)
    given = load_network(folder, engine=engine, threads=1).session.run(image)
    assert given.shape == (1, 2, 6, 7, 8)
    padded = np.pad(image[0, 0], 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3))
    expected = np.einsum("ijkabc,nabc->nijk", windows, kernel[:, 0])
    np.testing.assert_allclose(given[0], expected + np.array([0.5, -0.5])[:, None, None, None], atol=1e-4)


def test_engines_that_are_not_here_say_what_to_do(folder):
    with pytest.raises(InputError, match=", ".join(ENGINES)):
        load_network(folder, engine="tpu")


@pytest.mark.parametrize(("engine", "message"), [("cuda", r"cormack\[gpu\]"), ("openvino-gpu", "driver")])
def test_devices_that_are_not_here_say_what_to_do(folder, monkeypatch, engine, message):
    import onnxruntime
    import openvino

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    monkeypatch.setattr(openvino.Core, "available_devices", ["CPU"])
    with pytest.raises(DependencyError, match=message):
        load_network(folder, engine=engine)


def test_a_package_that_is_missing_is_named(folder, monkeypatch):
    monkeypatch.setattr(engine_module, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="pip install onnxruntime"):
        open_session(folder / "model.onnx", engine="onnxruntime")


def test_packaged_networks_load_and_are_small():
    for name in networks():
        load_network(name)
        assert (PACKAGED / name / "model.onnx").stat().st_size < LARGEST_MB * 1e6
        assert (PACKAGED / name / "MODEL_CARD.md").is_file()


def test_a_packaged_network_that_is_too_large_is_refused(folder, monkeypatch):
    monkeypatch.setattr(store, "PACKAGED", folder.parent)
    assert networks() == ("tiny",)
    monkeypatch.setattr(store, "LARGEST_MB", 1e-6)
    with pytest.raises(WeightsError, match="larger than"):
        load_network("tiny")


def test_loading_asks_nothing_of_the_network_outside(folder):
    """OpenVINO comes with a telemetry package: no socket may be opened."""
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = refuse; socket.create_connection = refuse; socket.getaddrinfo = refuse\n"
        "import numpy as np\n"
        "from cormack.nn.store import load_network\n"
        "load_network(sys.argv[1]).session.run(np.zeros((1, 1, 4, 4, 4), np.float32))\n"
        "assert not {'torch', 'monai', 'onnxruntime'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(folder)], check=True, timeout=60)
