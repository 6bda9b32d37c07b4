"""The engines that run a network's graph; which one is a matter of measurement (`benchmarks/network.py`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cormack.core.errors import DependencyError, InputError, WeightsError

FloatImage = npt.NDArray[np.float32]

#: Names of the graph's input and output.
INPUT_NAME, OUTPUT_NAME = "image", "logits"
#: The fastest engine on processors: 2.8 times as fast as ONNX Runtime, with half its memory.
DEFAULT_ENGINE = "openvino"


class Session(Protocol):
    """A graph ready to run: channels of its input, what runs it, and how."""

    name: str
    channels: int

    def run(self, batch: FloatImage) -> FloatImage:
        """Images of shape (batch, channel, i, j[, k]) to logits of shape (batch, class, i, j[, k])."""
        ...

    def rest(self) -> None:
        """Give back the memory of the layers, for those who work on meanwhile."""
        ...


class OpenVinoSession:
    """OpenVINO on a processor or an Intel GPU, in 32-bit floats."""

    def __init__(self, path: Path, *, device: str = "CPU", threads: int | None = None) -> None:
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        # Without the hint processors that can do so compute in bfloat16, which moves the edges.
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads is not None and device == "CPU":
            settings["INFERENCE_NUM_THREADS"] = threads
        self.name = f"OpenVINO {openvino.__version__.split('-')[0]}, {device}"
        self.channels = model.input(INPUT_NAME).partial_shape[1].get_length()
        self._output = model.output(OUTPUT_NAME).get_index()
        self._compiled = core.compile_model(model, device, settings)
        self._request = self._compiled.create_infer_request()

    def run(self, batch: FloatImage) -> FloatImage:
        """Logits of a batch; the array is a copy of its own."""
        self._request.infer({INPUT_NAME: batch}, share_inputs=True)
        return np.array(self._request.get_output_tensor(self._output).data, dtype=np.float32)

    def rest(self) -> None:
        """Half a gigabyte goes back in 0.03 s; the next run takes 0.1 s to ask for it again."""
        self._compiled.release_memory()


class OnnxRuntimeSession:
    """ONNX Runtime on a processor or an NVIDIA GPU, in 32-bit floats."""

    def __init__(self, path: Path, *, provider: str = "CPUExecutionProvider", threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        # TensorFloat-32 has 10 bits of mantissa, as many as half precision.
        providers: list[Any] = [(provider, {"use_tf32": "0"}) if provider.startswith("CUDA") else provider]
        self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        self.name = f"ONNX Runtime {onnxruntime.__version__}, {provider.removesuffix('ExecutionProvider')}"
        (given,) = (node for node in self._session.get_inputs() if node.name == INPUT_NAME)
        self.channels = int(given.shape[1])

    def rest(self) -> None:
        """The arena is the runtime's own."""

    def run(self, batch: FloatImage) -> FloatImage:
        """Logits of a batch."""
        return np.asarray(self._session.run([OUTPUT_NAME], {INPUT_NAME: batch})[0], dtype=np.float32)


def _openvino_gpu(path: Path, threads: int | None) -> Session:
    import openvino

    if "GPU" not in openvino.Core().available_devices:
        raise DependencyError("OpenVINO finds no GPU here; an Intel GPU with its driver is needed, or engine openvino")
    return OpenVinoSession(path, device="GPU", threads=threads)


def _onnxruntime(path: Path, threads: int | None, provider: str, extra: str) -> Session:
    if find_spec("onnxruntime") is None:
        raise DependencyError(f"the package onnxruntime is missing: {extra}")
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        raise DependencyError(f"onnxruntime offers no {provider} here: {extra}, on a machine with the device")
    return OnnxRuntimeSession(path, provider=provider, threads=threads)


def _cuda(path: Path, threads: int | None) -> Session:
    return _onnxruntime(path, threads, "CUDAExecutionProvider", "pip install 'cormack[gpu]'")


def _onnxruntime_cpu(path: Path, threads: int | None) -> Session:
    return _onnxruntime(path, threads, "CPUExecutionProvider", "pip install onnxruntime")


#: Every engine by name; adding one is one entry.
ENGINES: Mapping[str, Callable[[Path, int | None], Session]] = {
    "openvino": lambda path, threads: OpenVinoSession(path, threads=threads),
    "openvino-gpu": _openvino_gpu,
    "onnxruntime": _onnxruntime_cpu,
    "cuda": _cuda,
}


def open_session(path: Path, *, engine: str = DEFAULT_ENGINE, threads: int | None = None) -> Session:
    """Make a graph ready to run.

    Parameters
    ----------
    path : Path
        `model.onnx`.
    engine : key of ENGINES
    threads : int, optional
        Of the processor; the engine's own choice without it.

    Raises
    ------
    InputError
        If the engine is unknown.
    DependencyError
        If its package or device is not there.
    WeightsError
        If the engine cannot read the graph.
    """
    if engine not in ENGINES:
        raise InputError(f"engine {engine!r}; known are {', '.join(ENGINES)}")
    try:
        return ENGINES[engine](path, threads)
    except DependencyError:
        raise
    except Exception as error:
        # Engines raise errors of many kinds of their own; all of them mean the same here.
        raise WeightsError(
            f"{path.name} of the network {path.parent.name!r} is no graph that {engine} can run, with one input "
            f"{INPUT_NAME!r} and one output {OUTPUT_NAME!r} ({type(error).__name__}): export it again"
        ) from error
