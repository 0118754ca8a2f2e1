/* Sorting of plain numbers, for processors without the vector instructions that numpy's own fast sorts are made for: a
 * quicksort whose split has no branch that depends on the data and goes through memory in order. It is stable, and NaNs come
 * last. The functions answer false, with the elements in some order, where the caller's sort is to do it: few elements, no
 * memory for a copy, or splits too uneven for too long. */
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace rm {

enum { FEW = 128, INSERTED = 16 };

template <typename T>
struct Indexed {
    T value;
    npy_intp index;
};

template <typename T>
static inline T value_of(T item)
{
    return item;
}

template <typename T>
static inline T value_of(Indexed<T> item)
{
    return item.value;
}

/* Puts what is `first` before the rest, both in their order, and answers how many those are. */
template <typename E, typename First>
static size_t split(E *items, E *room, size_t count, First first)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const E item = items[i];
        items[kept] = item;
        room[i - kept] = item;
        kept += first(value_of(item));
    }
    memcpy(items + kept, room, (count - kept) * sizeof(E));
    return kept;
}

template <typename E>
static void insertion_sort(E *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const E item = items[i];
        size_t to = i;
        for (; to > 0 && value_of(item) < value_of(items[to - 1]); to--) {
            items[to] = items[to - 1];
        }
        items[to] = item;
    }
}

template <typename T>
static inline T middle(T a, T b, T c)
{
    const T low = b < a ? b : a, high = b < a ? a : b;
    return c < low ? low : high < c ? high : c;
}

/* The middle one of three, or of three such, which lie apart. */
template <typename E>
static auto pivot(const E *items, size_t count)
{
    const size_t step = count / 9;
    auto at = [=](size_t i) { return value_of(items[i * step]); };
    if (count < FEW) {
        return middle(at(1), at(4), at(7));
    }
    return middle(middle(at(0), at(1), at(2)), middle(at(3), at(4), at(5)), middle(at(6), at(7), at(8)));
}

/* `splits` bounds the depth of the recursion, which goes into the smaller part, and of the loop. */
template <typename E>
static bool quicksort(E *items, E *room, size_t count, int splits)
{
    while (count > INSERTED) {
        if (splits-- == 0) {
            return false;
        }
        const auto p = pivot(items, count);
        size_t less = split(items, room, count, [=](auto value) { return value < p; });
        if (less == 0) { /* the pivot is the least: all that equal it are in their place */
            less = split(items, room, count, [=](auto value) { return !(p < value); });
            items += less;
            count -= less;
        }
        else if (less < count - less) {
            if (!quicksort(items, room, less, splits)) {
                return false;
            }
            items += less;
            count -= less;
        }
        else {
            if (!quicksort(items + less, room, count - less, splits)) {
                return false;
            }
            count = less;
        }
    }
    insertion_sort(items, count);
    return true;
}

template <typename E>
static bool sort_items(E *items, E *room, size_t count)
{
    size_t numbers = 0;
    for (size_t i = 0; i < count; i++) {
        numbers += value_of(items[i]) == value_of(items[i]);
    }
    if (numbers < count) {
        split(items, room, count, [](auto value) { return value == value; });
    }
    return quicksort(items, room, numbers, 2 * npy_get_msb(count));
}

template <typename T>
static bool sort(T *values, npy_intp count)
{
    bool done = false;
    if constexpr (std::is_arithmetic_v<T>) {
        T *room = count < FEW ? nullptr : (T *)malloc(sizeof(T) * count);
        done = room != nullptr && sort_items(values, room, count);
        free(room);
    }
    return done;
}

template <typename T>
static bool argsort(const T *values, npy_intp *order, npy_intp count)
{
    bool done = false;
    if constexpr (std::is_arithmetic_v<T>) {
        const size_t bytes = sizeof(Indexed<T>) * count;
        const bool fits = count >= FEW && bytes / sizeof(Indexed<T>) == (size_t)count && bytes <= NPY_MAX_INTP / 2;
        auto *items = fits ? (Indexed<T> *)malloc(2 * bytes) : nullptr;
        for (npy_intp i = 0; items != nullptr && i < count; i++) {
            items[i] = {values[order[i]], order[i]};
        }
        done = items != nullptr && sort_items(items, items + count, count);
        for (npy_intp i = 0; done && i < count; i++) {
            order[i] = items[i].index;
        }
        free(items);
    }
    return done;
}

} // namespace rm
