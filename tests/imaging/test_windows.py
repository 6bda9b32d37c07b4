import numpy as np

from cormack.imaging.windows import WINDOWS, apply_window


def test_brain_window_runs_from_0_to_80_hu():
    assert WINDOWS["brain"].limits_hu == (0, 80)
    grey = apply_window(np.array([-1000, 0, 40, 80, 3000]), WINDOWS["brain"])
    assert grey.tolist() == [0, 0, 128, 255, 255]
