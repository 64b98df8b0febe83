"""Normal random numbers by the million: a fraction of a nanosecond each, the same bytes on every processor.

Uniform bits come from 256 xoshiro128++ generators side by side (Blackman and Vigna 2021), pairs of them become pairs of
normals (Box and Muller 1958). Logarithm, sine and cosine are polynomials in single precision. Every step is an integer
operation or a single IEEE 754 addition, multiplication or square root per element, and nothing may be reordered or
contracted (no ``fastmath``), so a compiler that uses wider or narrower vectors still has to give the same bits.
"""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Float32

__all__ = ["LARGEST_NORMAL", "fill_normals"]

_LANES = 256
# Bits for this many pairs are made at a time: together with the generators' state they stay in the first-level cache.
_PAIRS = 1024
# The smallest uniform is 2**-33.
LARGEST_NORMAL = float(np.sqrt(2 * 33 * np.log(2)))


@numba.njit(cache=True, nogil=True)
def _mix(value):
    """The finaliser of splitmix64."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def _start(key, state):
    """State (4, lanes) from a key of two 64-bit words: two splitmix64 sequences, one added to the other."""
    lanes = state.shape[1]
    for word in range(4):
        row = state[word]
        for lane in range(lanes):
            count = np.uint64(word * lanes + lane + 1)
            mixed = _mix(key[0] + count * np.uint64(0x9E3779B97F4A7C15)) + _mix(
                key[1] + count * np.uint64(0xD1B54A32D192ED03)
            )
            row[lane] = np.uint32(mixed >> np.uint64(32))


@numba.njit(cache=True, nogil=True)
def _draw_bits(s0, s1, s2, s3, bits):
    """Fill bits (steps, lanes) uint32, each row the next word of every lane."""
    for step in range(bits.shape[0]):
        row = bits[step]
        for lane in range(len(row)):
            x0, x1, x2, x3 = s0[lane], s1[lane], s2[lane], s3[lane]
            total = np.uint32(x0 + x3)
            row[lane] = np.uint32(np.uint32((total << np.uint32(7)) | (total >> np.uint32(25))) + x0)
            shifted = np.uint32(x1 << np.uint32(9))
            x2 = np.uint32(x2 ^ x0)
            x3 = np.uint32(x3 ^ x1)
            s1[lane] = np.uint32(x1 ^ x2)
            s0[lane] = np.uint32(x0 ^ x3)
            s2[lane] = np.uint32(x2 ^ shifted)
            s3[lane] = np.uint32((x3 << np.uint32(11)) | (x3 >> np.uint32(21)))


@numba.njit(cache=True, nogil=True)
def _pairs(radius_bits, angle_bits, level, cosines, sines):
    """Normals of standard deviation ``level`` from pairs of 32-bit words; every array (n,)."""
    one = np.float32(1)
    for i in range(len(cosines)):
        # uniform * 2**32, never 0; small ones keep all their bits, which is what the tails are made of
        uniform = np.float32(radius_bits[i]) + np.float32(0.5)
        pattern = np.float32(uniform).view(np.int32)
        # = 2**exponent * (1 + m), 1 + m between the roots of 1/2 and 2
        exponent = np.int32((pattern - np.int32(0x3F3504F3)) >> np.int32(23))
        m = np.int32(pattern - np.int32(exponent << np.int32(23))).view(np.float32) - one
        # ln(1 + m): minimax polynomial of the Cephes library's logf
        p = np.float32(7.0376836292e-2)
        p = p * m + np.float32(-1.1514610310e-1)
        p = p * m + np.float32(1.1676998740e-1)
        p = p * m + np.float32(-1.2420140846e-1)
        p = p * m + np.float32(1.4249322787e-1)
        p = p * m + np.float32(-1.6668057665e-1)
        p = p * m + np.float32(2.0000714765e-1)
        p = p * m + np.float32(-2.4999993993e-1)
        p = p * m + np.float32(3.3333331174e-1)
        square = m * m
        logarithm = (m * square * p - np.float32(0.5) * square + m) + np.float32(exponent - np.int32(32)) * np.float32(
            0.6931471805599453
        )
        twice = np.float32(-2) * logarithm
        radius = np.sqrt(twice if twice > np.float32(0) else np.float32(0)) * level
        # two bits choose the quadrant, thirty the angle in it, between -pi/4 and pi/4
        angle = angle_bits[i]
        a = np.float32(np.int32(angle << np.uint32(2))) * np.float32(0.7853981633974483 / 2147483648.0)
        b = a * a
        sine = a * (
            one
            + b * (np.float32(-1.6666654611e-1) + b * (np.float32(8.3321608736e-3) + b * np.float32(-1.9515295891e-4)))
        )
        cosine = one + b * (
            np.float32(-0.5)
            + b * (np.float32(4.166664568e-2) + b * (np.float32(-1.388731625e-3) + b * np.float32(2.443315712e-5)))
        )
        half_turn = np.uint32(angle & np.uint32(0x80000000))
        quarter_turn = np.uint32(angle & np.uint32(0x40000000)) != np.uint32(0)
        cosine = np.uint32(np.float32(cosine).view(np.uint32) ^ half_turn).view(np.float32)
        sine = np.uint32(np.float32(sine).view(np.uint32) ^ half_turn).view(np.float32)
        cosines[i] = radius * (-sine if quarter_turn else cosine)
        sines[i] = radius * (cosine if quarter_turn else sine)


@numba.njit(cache=True, nogil=True)
def _fill(key, level, out):
    state = np.empty((4, _LANES), np.uint32)
    _start(key, state)
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    bits = np.empty((2 * _PAIRS // _LANES, _LANES), np.uint32)
    words = bits.reshape(2 * _PAIRS)
    last = np.empty(2 * _PAIRS, np.float32)
    for first in range(0, len(out), 2 * _PAIRS):
        _draw_bits(s0, s1, s2, s3, bits)
        part = out[first : first + 2 * _PAIRS]
        whole = part if len(part) == 2 * _PAIRS else last
        _pairs(words[:_PAIRS], words[_PAIRS:], level, whole[:_PAIRS], whole[_PAIRS:])
        if len(part) < 2 * _PAIRS:
            part[:] = last[: len(part)]


def fill_normals(sequence: np.random.SeedSequence, out: Float32[np.ndarray, "*shape"], level: float = 1.0) -> None:
    """Fill an array with independent normal numbers of mean 0.

    The numbers depend on the sequence alone; a shorter array gets the first of a longer one's. None exceeds
    6.77 ``level``.

    Parameters
    ----------
    sequence
        Where the stream comes from; 128 bits of it choose the generators' states.
    out
        Contiguous, of any shape.
    level
        Standard deviation.
    """
    # without a copy, which would be filled in its place: another layout is an error
    _fill(sequence.generate_state(2, np.uint64), np.float32(level), out.reshape(-1, copy=False))
