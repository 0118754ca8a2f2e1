#!/usr/bin/env python3
"""Prints tests/unit/number_cases.txt: what Python says about arithmetic and about the spelling of floats.

Lines "operation a b result" and "repr bits text". The seed is fixed.
"""
import operator
import random
import struct
import sys

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
LIMIT = 10 ** 4300
EDGES = [0, 1, -1, 2, -2, 3, -7, 10, True, False, 2 ** 53, 2 ** 53 + 1, 2 ** 63 - 1, -2 ** 63, 2 ** 63, -2 ** 63 - 1, 2 ** 64,
         -2 ** 64 - 1, 10 ** 30, -10 ** 40, 0.0, -0.0, 0.5, -2.0, 1e16, 1e308, -1e308, 5e-324]
OPERATIONS = {"RM_ADD": operator.add, "RM_SUBTRACT": operator.sub, "RM_MULTIPLY": operator.mul,
              "RM_DIVIDE": operator.truediv, "RM_POWER": operator.pow, "RM_MODULO": operator.mod}


def literal(value):
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


def answer(name, a, b):
    both_integers = not isinstance(a, float) and not isinstance(b, float)
    if name == "RM_POWER" and both_integers and b > 0 and (abs(a).bit_length() - 1) * b >= 14285:
        return "limit"
    try:
        exact = name == "RM_DIVIDE" and both_integers and a % b == 0
        result = a // b if exact else OPERATIONS[name](a, b)
    except (ZeroDivisionError, OverflowError):
        return "arithmetic"
    if isinstance(result, complex):
        return "arithmetic"
    if isinstance(result, float) and result - result != 0:
        return "null"
    result = int(result) if isinstance(result, bool) else result
    return "limit" if isinstance(result, int) and abs(result) >= LIMIT else literal(result)


def operands(rng):
    pick = rng.randrange(5)
    if pick == 0:
        return rng.choice(EDGES)
    if pick == 1:
        return rng.randint(-2 ** 63, 2 ** 63 - 1)
    if pick == 2:
        return rng.randint(-20, 20)
    if pick == 3:
        return rng.uniform(-100, 100)
    return rng.randint(-2 ** rng.randint(1, 150), 2 ** rng.randint(1, 150))


def main():
    rng = random.Random(20250613)
    rows = [(name, a, b) for name in OPERATIONS for a in EDGES[:18] for b in EDGES[:18:3] + EDGES[20:24]]
    rows += [(name, operands(rng), operands(rng)) for name in OPERATIONS for _ in range(60)]
    rows += [("RM_POWER", 10, 4299), ("RM_POWER", 10, 4300), ("RM_POWER", 10, 100000), ("RM_POWER", 2, 14284),
             ("RM_POWER", 3, 10 ** 30), ("RM_POWER", -1, 10 ** 30 + 1), ("RM_MULTIPLY", 10 ** 4000, 10 ** 299),
             ("RM_MULTIPLY", 10 ** 4000, 10 ** 300), ("RM_DIVIDE", 10 ** 400, 3), ("RM_DIVIDE", 10 ** 400 + 1, 10 ** 399),
             ("RM_DIVIDE", 1, 10 ** 320), ("RM_DIVIDE", 3, 2 ** 1075), ("RM_DIVIDE", -1, 2 ** 1076), ("RM_ADD", 10 ** 400, 0.5)]
    for name, a, b in rows:
        print(name.lower()[3:], literal(a), literal(b), answer(name, a, b))
    floats = [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 123456789012345680.0, 1e-4, 1e-5, 9.999e-5, 5e-324, 2.2250738585072014e-308,
              1.7976931348623157e308, 1e22, 1e23, -1.5, 0.30000000000000004, 999999999.999999, 1000000000.000001, 1e100]
    for i in range(300):
        value = struct.unpack("<d", rng.getrandbits(64).to_bytes(8, "little"))[0]
        floats.append(value if i % 3 == 0 else round(rng.uniform(-1e5, 1e5), rng.randint(0, 12)) if i % 3 == 1 else
                      rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30))
    for value in floats:
        if value - value == 0:
            print(f'repr {struct.unpack("<Q", struct.pack("<d", value))[0]:x} {value!r}')


main()
