"""An array is sent to a device once, and again only after it had to go."""

from __future__ import annotations

import numpy as np

from spikeline.simulation.recordings.device_arrays import DeviceArrays


def array(value: int) -> np.ndarray:
    return np.full(1000, value, np.int16)


def test_an_array_is_sent_once() -> None:
    arrays, one, other = DeviceArrays("cpu"), array(1), array(2)
    assert arrays(one) is arrays(one) and arrays(one) is not arrays(other)
    assert arrays(one).tolist() == [1] * 1000 and arrays(other).tolist() == [2] * 1000
    assert arrays(one[:10]) is not arrays(one)


def test_another_array_in_the_same_place_is_another_array() -> None:
    arrays = DeviceArrays("cpu")
    for value in range(50):  # a number that is free again may be the next one's
        assert arrays(array(value))[0] == value


def test_those_asked_for_longest_ago_go() -> None:
    arrays = DeviceArrays("cpu", most_bytes=4500)
    one, two, three = array(1), array(2), array(3)
    first, second = arrays(one), arrays(two)
    assert arrays(one) is first
    arrays(three)
    assert arrays(one) is first and arrays(two) is not second
    assert DeviceArrays("cpu", most_bytes=10)(one)[0] == 1
