_KNOWN_NAMES = {"sha-1": "sha1", "blake2b512": "blake2b", "blake2b-512": "blake2b", "blake2s256": "blake2s",
                "blake2s-256": "blake2s"}
for _size in ("224", "256", "384", "512"):
    _KNOWN_NAMES |= {f"sha-{_size}": f"sha{_size}", f"sha2-{_size}": f"sha{_size}", f"sha3-{_size}": f"sha3_{_size}"}
_KNOWN_NAMES |= {_name: _name for _name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")}
_OPENSSL_HAS = {"ripemd160", "rmd160", "ripemd", "sm3", "md5-sha1", "sha512_224", "sha512_256", "sha512-224", "sha512-256"}
_MOST, _LONG_MOST = 2**31 - 1, 2**63
_SCRYPT_MEMORY = 32 << 20
_MEMORY_LIMIT = "[digital envelope routines] memory limit exceeded"
_constructor_of = new
_UnsupportedDigestmodError = type("UnsupportedDigestmodError", (ValueError,), {"__module__": "_hashlib"})
del _size


def _named_here(name):
    """OpenSSL's other names of a hash, in letters of any case."""
    return name if name in algorithms_guaranteed else _KNOWN_NAMES.get(name.lower(), name)


def _kind_of(value):
    return "None" if value is None else type(value).__name__


def new(name, *args, **kwargs):
    if not isinstance(name, str):
        raise TypeError(f"new() argument 'name' must be str, not {_kind_of(name)}")
    known = _named_here(name)
    if known.lower() in _OPENSSL_HAS:
        raise ValueError(f"unsupported hash type {name}: it is OpenSSL's, which is not in the WASM files")
    return _constructor_of(known, *args, **kwargs)


def _bytes_of(data):
    try:
        view = memoryview(data)
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not '{type(data).__name__}'") from None
    if not view.c_contiguous:
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    return view.tobytes()


def _long_of(number):
    value = number.__index__() if hasattr(type(number), "__index__") else None
    if value is None:
        raise TypeError(f"'{type(number).__name__}' object cannot be interpreted as an integer")
    if not -_LONG_MOST <= value < _LONG_MOST:
        raise OverflowError("Python int too large to convert to C long")
    return value


def _digest_for_hmac(name):
    known = _named_here(name)
    if known.startswith("shake_"):
        raise ValueError(f"{name} has no digest of one length")
    if known not in algorithms_guaranteed:
        why = f": {name} is OpenSSL's, which is not in the WASM files" if known.lower() in _OPENSSL_HAS else ""
        raise _UnsupportedDigestmodError("[digital envelope routines] unsupported" + why)
    return globals()[known]


def _derive(digest, password, salt, iterations, length):
    """PBKDF2 of RFC 8018 with HMAC, whose two halves begin with the password once."""
    start = digest()
    if len(password) > start.block_size:
        password = digest(password).digest()
    key = password.ljust(start.block_size, b"\0")
    inner = digest(bytes(byte ^ 0x36 for byte in key)).copy
    outer = digest(bytes(byte ^ 0x5C for byte in key)).copy
    number_of, parts = int.from_bytes, []
    for block in range(1, -(-length // start.digest_size) + 1):
        last, total = salt + block.to_bytes(4), 0
        for _ in range(iterations):
            hashed = inner()
            hashed.update(last)
            last = hashed.digest()
            hashed = outer()
            hashed.update(last)
            last = hashed.digest()
            total ^= number_of(last)
        parts.append(total.to_bytes(start.digest_size))
    return b"".join(parts)[:length]


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function."""
    if not isinstance(hash_name, str):
        raise TypeError(f"pbkdf2_hmac() argument 'hash_name' must be str, not {_kind_of(hash_name)}")
    if "\0" in hash_name:
        raise ValueError("embedded null character")
    hash_name.encode()
    password, salt, iterations = _bytes_of(password), _bytes_of(salt), _long_of(iterations)
    digest = _digest_for_hmac(hash_name)
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if iterations > _MOST:
        raise OverflowError("iteration value is too great.")
    length = digest().digest_size if dklen is None else _long_of(dklen)
    if length < 1:
        raise ValueError("key length must be greater than 0.")
    if length > _MOST:
        raise OverflowError("key length is too great.")
    return _derive(digest, password, salt, iterations, length)


def _scrypt_number(name, value):
    if not isinstance(value, int):
        raise TypeError(f"scrypt() argument '{name}' must be int, not {_kind_of(value)}")
    return int(value)


def _need_unsigned(name, value):
    if value is None or not 0 <= value < 2 * _LONG_MOST:
        raise TypeError(f"{name} is required and must be an unsigned int")


def _check_scrypt(n, r, p, maxmem):
    """As OpenSSL does."""
    if r == 0 or p == 0:
        raise ValueError("Invalid parameter combination for n, r, p, maxmem.")
    blocks, table = p * 128 * r, 128 * r * (n + 2)
    if p * r > 2**30 - 1 or r <= 3 and n >= 1 << 16 * r or blocks + table > (maxmem or _SCRYPT_MEMORY):
        raise ValueError(_MEMORY_LIMIT)


def scrypt(password, *, salt=algorithms_guaranteed, n=algorithms_guaranteed, r=algorithms_guaranteed,
           p=algorithms_guaranteed, maxmem=0, dklen=64):
    """scrypt password-based key derivation function."""
    import _scrypt

    absent = algorithms_guaranteed
    password = _bytes_of(password)
    salt = None if salt is absent else _bytes_of(salt)
    n, r, p = (None if value is absent else _scrypt_number(name, value) for name, value in zip("nrp", (n, r, p)))
    maxmem, dklen = _long_of(maxmem), _long_of(dklen)
    if salt is None:
        raise TypeError("salt is required")
    _need_unsigned("n", n)
    if n < 2 or n & (n - 1):
        raise ValueError("n must be a power of 2.")
    _need_unsigned("r", r)
    _need_unsigned("p", p)
    if not 0 <= maxmem <= _MOST:
        raise ValueError(f"maxmem must be positive and smaller than {_MOST}")
    if not 1 <= dklen <= _MOST:
        raise ValueError(f"dklen must be greater than 0 and smaller than {_MOST}")
    _check_scrypt(n, r, p, maxmem)
    blocks = _scrypt.mix(_derive(sha256, password, salt, 1, p * 128 * r), r, n)
    return _derive(sha256, password, blocks, 1, dklen)


__all__ += ("pbkdf2_hmac",)
