"""The cloud of reference tetrodes."""

from __future__ import annotations

import numpy as np

from spikeline.simulation.bank.reference_contacts import reference_contacts
from spikeline.simulation.field.geometry import SegmentGeometry


def test_reference_contacts_repeat_keep_their_distance_and_reach_dendrites(geometry: SegmentGeometry) -> None:
    contacts = reference_contacts(geometry, 20.0)
    assert contacts.shape == (480, 3)
    np.testing.assert_array_equal(contacts, reference_contacts(geometry, 20.0))
    assert np.linalg.norm(contacts, axis=1).min() >= 20 - 1e-9
    np.testing.assert_allclose(np.linalg.norm(contacts[0] - contacts[1]), 13.0)
    along = geometry.start_um + np.linspace(0, 1, 21)[:, None, None] * (geometry.end_um - geometry.start_um)
    nearest = np.array([np.linalg.norm(along - contact, axis=2).min() for contact in contacts])
    assert nearest.min() < 10


def test_a_distance_beyond_every_segment_is_served_around_the_soma(geometry: SegmentGeometry) -> None:
    contacts = reference_contacts(geometry, 1000.0)
    assert contacts.shape == (480, 3)
    assert np.linalg.norm(contacts, axis=1).min() >= 1000
