#include <malloc.h>
#include <pthread.h>

#include <QtTest>
#include <cstdio>
#include <functional>

#include "core/text/tokenizer.h"
#include "tests/support/refusal.h"
#include "tests/support/small_tokenizer.h"

using namespace spd;
using Json = nlohmann::ordered_json;

namespace {

constexpr size_t mebibyte = size_t{1} << 20;
constexpr size_t stack_bytes = 512 << 10;
#ifdef __SANITIZE_ADDRESS__
constexpr double most_growth = 8;  // its allocator maps large blocks anew each time
#else
constexpr double most_growth = 5;
#endif

std::string repeated(std::string_view unit, size_t bytes) {
    std::string text;
    while (text.size() + unit.size() <= bytes)
        text += unit;
    return text;
}

/// Runs `action` on a thread with a small stack, as worker threads have. False when there was no thread.
bool onSmallStack(const std::function<void()>& action) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread;
    const auto start = [](void* argument) -> void* {
        (*static_cast<const std::function<void()>*>(argument))();
        return nullptr;
    };
    const bool started =
        pthread_create(&thread, &attributes, start, const_cast<std::function<void()>*>(&action)) == 0;
    if (started)
        pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    return started;
}

/// Processor seconds of encoding, decoding and streaming `text`.
double secondsFor(const Tokenizer& tokenizer, const std::string& text) {
    const double start = test::processorSeconds();
    const Encoding encoding = tokenizer.encodeWithRanges(text);
    (void)tokenizer.decode(encoding.ids, false);
    StreamingDecoder decoder(tokenizer, false);
    for (const int32_t id : encoding.ids)
        (void)decoder.add(id);
    return test::processorSeconds() - start;
}

struct Growth {
    double quarter = 1e9;
    double whole = 1e9;
    bool isLinear() const { return whole <= most_growth * quarter + 0.005; }
};

/// The best of up to ten measurements of 256 KiB and of 1 MiB: others may use the caches and the memory
/// meanwhile. The first one is not counted: it pays for memory that the allocator then keeps.
Growth growthOf(const Tokenizer& tokenizer, const std::string& unit) {
    const std::string quarter = repeated(unit, mebibyte / 4);
    const std::string whole = repeated(unit, mebibyte);
    Growth best;
    const bool started = onSmallStack([&] {
        (void)secondsFor(tokenizer, whole);
        for (int i = 0; i < 10 && (i < 2 || !best.isLinear()); ++i) {
            best.quarter = std::min(best.quarter, secondsFor(tokenizer, quarter));
            best.whole = std::min(best.whole, secondsFor(tokenizer, whole));
        }
    });
    return started ? best : Growth{0, 1e9};
}

Json tokenizerWithRuns(const Json& pre_tokenizer) {
    Json json =
        test::smallTokenizer({"aa", "aaaa", "aaaaaaaa", "ĠĠĠĠ", "11", "ä¸Ń", "ðŁĺĢ", "Ìģ", "the", "Ġthe"});
    // Runs merge by halves, as real vocabularies have it.
    json["model"]["merges"].push_back({"aa", "aa"});
    json["model"]["merges"].push_back({"aaaa", "aaaa"});
    json["normalizer"] = {{"type", "NFC"}};
    json["pre_tokenizer"] = pre_tokenizer;
    const auto id = static_cast<int>(json["model"]["vocab"].size());
    json["added_tokens"] = {test::addedToken(id, "<s>"), test::addedToken(id + 1, "\t"),
                            test::addedToken(id + 2, "\v")};
    json["added_tokens"][0]["lstrip"] = true;
    json["added_tokens"][1]["rstrip"] = true;
    json["added_tokens"][2]["lstrip"] = true;
    return json;
}

}  // namespace

class TestTokenizerSpeed : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Freed memory is kept, so that after the first run page faults, which come in steps, are not measured.
    void initTestCase() {
        mallopt(M_ARENA_MAX, 1);
        mallopt(M_MMAP_THRESHOLD, 1 << 30);
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
    }

    void timeIsLinear_data() {
        QTest::addColumn<std::string>("unit");
        QTest::newRow("letter") << std::string("a");
        QTest::newRow("blank") << std::string(" ");
        QTest::newRow("line end") << std::string("\n");
        QTest::newRow("digit") << std::string("1");
        QTest::newRow("ideograph") << std::string("中");
        QTest::newRow("emoji") << std::string("😀");
        QTest::newRow("combining mark") << std::string("\u0301");
        QTest::newRow("marks out of order") << std::string("\u0301\u0316");
        QTest::newRow("decomposed") << std::string("e\u0301");
        QTest::newRow("jamo") << std::string("\u1100\u1161\u11a8");
        QTest::newRow("blank and line end") << std::string(" \n");
        QTest::newRow("invalid UTF-8") << std::string("\xff");
        QTest::newRow("added token") << std::string("<s>");
        QTest::newRow("added blank, stripping right") << std::string("\t");
        QTest::newRow("added blank, stripping left") << std::string("\v");
        QTest::newRow("beginning of an added token") << std::string("<s<");
    }
    void timeIsLinear() {
        QFETCH(std::string, unit);
        for (const Json& pre_tokenizer :
             {test::splitThenByteLevel(test::qwen2_regex), test::byteLevel(false)}) {
            const Tokenizer tokenizer =
                Tokenizer::parse(tokenizerWithRuns(pre_tokenizer).dump(), "tokenizer.json");
            const Growth growth = growthOf(tokenizer, unit);
            std::printf("measured: 1 MiB of %s, %s: %.3f s, %.1f times 256 KiB\n", QTest::currentDataTag(),
                        tokenizer.description().c_str(), growth.whole, growth.whole / growth.quarter);
            QVERIFY(growth.whole < test::most_seconds);
            QVERIFY(growth.isLinear());
        }
    }

    void aMebibyteOfOneLetter() {
        for (const Json& pre_tokenizer :
             {test::byteLevel(true), test::splitThenByteLevel(test::llama3_regex)}) {
            const Tokenizer tokenizer =
                Tokenizer::parse(tokenizerWithRuns(pre_tokenizer).dump(), "tokenizer.json");
            double seconds = -1;
            QVERIFY(onSmallStack([&] { seconds = secondsFor(tokenizer, repeated("a", mebibyte)); }));
            std::printf("measured: 1 MiB of one letter on a stack of 512 KiB: %.3f s\n", seconds);
            QVERIFY(seconds > 0 && seconds < test::most_seconds);
        }
    }
};

QTEST_GUILESS_MAIN(TestTokenizerSpeed)
#include "tst_tokenizer_speed.moc"
