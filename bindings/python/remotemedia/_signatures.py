"""What callables can be called with."""
import inspect
from types import FunctionType

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def signature(function):
    """inspect.Signature; None: it is not known, as of some functions in C.

    What a decorator says of its function (`__wrapped__`, `__signature__`) counts only where the function itself takes anything.
    """
    own = _read(_undecorated(function), follow_wrapped=False)
    if own is None and isinstance(getattr(type(function), "__call__", None), FunctionType):
        bound = _read(type(function).__call__)
        own = bound and bound.replace(parameters=list(bound.parameters.values())[1:])
    if own is None or any(each.kind in _VARIADIC for each in own.parameters.values()):
        return _read(function) or own
    return own


def accepts(signature, *arguments):
    """Whether a call with these arguments fits."""
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _undecorated(function):
    """The function, without a `__signature__`, which may say something else than its code."""
    if type(function) is not FunctionType or not hasattr(function, "__signature__"):
        return function
    bare = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    bare.__kwdefaults__ = function.__kwdefaults__
    try:
        bare.__annotations__ = function.__annotations__
    except NameError:  # Python 3.14 evaluates them late
        bare.__annotate__ = function.__annotate__
    return bare


def _read(function, **options):
    try:
        return inspect.signature(function, **options)
    except NameError:  # Python 3.14 evaluates annotations late, and one names what is not there
        import annotationlib  # type: ignore[import-not-found]

        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF, **options)  # type: ignore[call-arg]
    except Exception:  # functions in C have none; an object's __signature__ may be anything
        return None
