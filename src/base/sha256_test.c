/* The examples of FIPS 180-4 and lengths around the ends of blocks. */
#include "tests/support/node_test.h"

#include "base/sha256.h"

static void gives(const char *text, size_t size, const char *wanted)
{
    char hex[65];
    for (size_t cut = 0; cut <= size; cut += size < 200 ? 1 : 65537) {
        rmi_sha256 hash;
        rmi_sha256_init(&hash);
        rmi_sha256_add(&hash, text, cut);
        rmi_sha256_add(&hash, text + cut, size - cut);
        rmi_sha256_hex(&hash, hex);
        assert_string_equal(hex, wanted);
    }
}

static void the_standards_examples(void **unused)
{
    (void)unused;
    gives("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    gives("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    gives("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char many[1000];
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = 'a';
    gives(many, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    gives(many, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

RMT_MAIN(the_standards_examples)
