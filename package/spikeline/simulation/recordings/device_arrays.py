"""Arrays of the bank on a device: each is sent once, however many recordings are made of it."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import torch
from jaxtyping import Shaped

__all__ = ["DeviceArrays"]


class DeviceArrays:
    """Tensors of arrays that do not change, by the array object.

    Parameters
    ----------
    device
        Where the tensors lie.
    most_bytes
        Of all tensors that are kept; beyond, those that were asked for longest ago go.
    """

    def __init__(self, device: torch.device | str, most_bytes: int = 4 << 30) -> None:
        self.device, self.most_bytes = torch.device(device), most_bytes
        self._kept: OrderedDict[int, tuple[np.ndarray, torch.Tensor]] = OrderedDict()
        self._lock = threading.Lock()

    def sent(self, array: Shaped[np.ndarray, "*axes"]) -> torch.Tensor:
        """A tensor of an array that no later call asks for."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def __call__(self, array: Shaped[np.ndarray, "*axes"]) -> torch.Tensor:
        """The tensor of an array that others may ask for, too."""
        with self._lock:
            # the array is kept with its tensor: another one might get its number
            _, tensor = self._kept.get(id(array)) or (array, self.sent(array))
            self._kept[id(array)] = array, tensor
            self._kept.move_to_end(id(array))
            while len(self._kept) > 1 and sum(kept.nbytes for kept, _ in self._kept.values()) > self.most_bytes:
                self._kept.popitem(last=False)
        return tensor
