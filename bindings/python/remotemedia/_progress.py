"""Progress bars, by tqdm or by what is made as tqdm is."""
from collections.abc import Mapping


def bar(wanted, items):
    """A bar for a run over these items.

    wanted: True for tqdm's own choice between a notebook and a terminal, or a class or function that is called as
    wanted(total=count or None) and returns what has update(count) and close(). The total is known where items have a length.
    """
    return (_tqdm() if wanted is True else wanted)(total=_total(items))


def _tqdm():
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a notebook has no widgets: tqdm writes text then
            from tqdm.auto import tqdm  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError("progress=True needs tqdm: pip install tqdm, or remotemedia[progress]") from error
    return tqdm


def _total(items):
    sources = items.values() if isinstance(items, Mapping) else [items]
    try:
        return sum(map(len, sources))
    except TypeError:
        return None
