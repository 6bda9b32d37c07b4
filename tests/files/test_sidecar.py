import dataclasses
import json

import numpy as np

from cormack.core.acquisition import Acquisition
from cormack.files.sidecar import BIDS_NAMES, acquisition_fields, to_json


def test_every_fact_has_a_name():
    assert set(BIDS_NAMES) == {field.name for field in dataclasses.fields(Acquisition)}


def test_units_are_those_of_bids():
    fields = acquisition_fields(Acquisition(kvp=120.0, exposure_time_ms=1296.0, convolution_kernel="STANDARD"))
    assert fields == {"KVP": 120.0, "ExposureTime": 1.296, "ConvolutionKernel": "STANDARD"}


def test_numpy_values_become_plain():
    assert json.loads(to_json({"a": np.float32(0.5), "b": np.arange(2), "c": (1, 2)})) == {
        "a": 0.5,
        "b": [0, 1],
        "c": [1, 2],
    }
