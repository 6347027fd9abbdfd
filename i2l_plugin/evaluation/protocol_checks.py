"""What metrics ask of a named protocol: its options, the right samples, the right truth, its N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import MMLogger

from i2l_plugin.protocols import PROTOCOL_KEY, Protocol, get_protocol

from .sample_fields import SampleDict

# metainfo that says where a person's place is from, in words
_SOURCES = {'box_source': 'boxes:', 'root_depth_source': 'root depth:'}


def evaluated_protocol(
    name: str | None, dataset: str | None = None, truth_body_models: Mapping[str, Any] | None = None
) -> Protocol | None:
    """The named protocol of a metric, None without one.

    Args:
        name: Of the protocol.
        dataset: The only data set that the metric is for.
        truth_body_models: That option of the metric.

    Raises:
        ValueError: Unknown protocol, or of training alone, of another data set, or with the truth's
            models by gender missing or given in vain.
    """
    if name is None:
        return None
    protocol = get_protocol(name)
    if protocol.train_only:
        raise ValueError(f'protocol {name!r} is for training alone: nothing is evaluated by it')
    if dataset is not None and protocol.dataset != dataset:
        raise ValueError(
            f'protocol {name!r} is of the data set {protocol.dataset!r}, but this metric is for '
            f'{dataset!r} alone'
        )
    if protocol.gendered and truth_body_models is None:
        raise ValueError(
            f"protocol {name!r} compares with the mesh of the person's own gender: give "
            "truth_body_models=dict(m=dict(path='SMPL_MALE.pkl'), f=dict(path='SMPL_FEMALE.pkl'))"
        )
    if not protocol.gendered and truth_body_models is not None:
        raise ValueError(
            f'protocol {name!r} compares with a mesh of body_model itself: leave out '
            f'truth_body_models, of {tuple(truth_body_models)}'
        )
    return protocol


def protocol_options(protocol: Protocol, given: Mapping[str, Any]) -> list[Any]:
    """Options of a metric as its protocol sets them, in the order of `given`.

    Args:
        protocol: Of the metric.
        given: Options by the name of a `Protocol` field; None where the user gave nothing.

    Raises:
        ValueError: The user gave another value than the protocol's.
    """
    options = [getattr(protocol, name) for name in given]
    for (name, value), expected in zip(given.items(), options, strict=True):
        if value is None:
            continue
        same = set(value) == set(expected) if isinstance(expected, tuple) else value == expected
        if not same:
            raise ValueError(
                f'protocol {protocol.name!r} has {name}={expected!r}, but got {name}={value!r}: '
                'leave one of the two out'
            )
    return options


class Evaluated:
    """What the numbers of a metric belong to: a protocol, choices, and places.

    Args:
        protocol: Of the metric, None without a named one.
        choices: What is compared with what, in a few words.
        places: Metainfo of the places that predictions rest on: boxes and root depths, or less.
    """

    def __init__(
        self, protocol: Protocol | None, choices: str, places: Sequence[str] = tuple(_SOURCES)
    ) -> None:
        self.protocol, self.choices = protocol, choices
        self._sources: dict[str, set[str]] = {name: set() for name in places}

    def check(self, data_samples: Sequence[SampleDict]) -> None:
        """Make sure that the data set selected its samples as the protocol does.

        Raises:
            ValueError: Naming both, if another protocol selected a sample, or none did.
        """
        for sample in data_samples:
            if self.protocol is not None:
                _check_selection(self.protocol, sample)
            for name, seen in self._sources.items():
                if name in sample:
                    seen.add(sample[name])

    def describe(self) -> str:
        """All of it in one line of text, for logs and result files.

        Where boxes and root depths came from is known once samples were seen. A data set has one
        source, so in a distributed run the share of one process tells it.
        """
        name = 'no named protocol' if self.protocol is None else self.protocol.describe()
        places = [
            f'{_SOURCES[name]} {" and ".join(sorted(seen))}'
            for name, seen in self._sources.items()
            if seen
        ]
        return '; '.join([f'{name}: {self.choices}', *places])

    def warn_of_number(self, number: int, prefix: str | None) -> None:
        """Warn if another number of samples counts than the protocol is known to have."""
        if self.protocol is not None and self.protocol.expected_n not in {None, number}:
            MMLogger.get_current_instance().warning(
                f'{prefix}: N is {number}, but {self.protocol.name!r} has '
                f'{self.protocol.expected_n} samples, so these results compare with no published '
                'number: look for samples that were not converted, not selected, or have no valid '
                'truth'
            )


def _check_selection(protocol: Protocol, sample: SampleDict) -> None:
    name, selected_by = sample.get('sample_id'), sample.get(PROTOCOL_KEY)
    if selected_by is None:
        raise ValueError(
            f'the metric evaluates protocol {protocol.name!r}, but no protocol selected data '
            f'sample {name}: give the data set of the {protocol.dataset} samples '
            f'protocol={protocol.name!r}'
        )
    selection = get_protocol(selected_by)
    if selection.selection != protocol.selection:
        raise ValueError(
            f'the metric evaluates protocol {protocol.describe()}, but data sample {name} was '
            f'selected by {selection.describe()}: give data set and metric one protocol'
        )
