// Philox4x32-10 against Random123's known answers, and its bulk form against the single one.

#include <QTest>
#include <cstdio>
#include <random>
#include <vector>

#include "core/base/philox.h"

using namespace spd;

class TestPhilox : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// The three philox4x32 10 lines of kat_vectors in Random123 (D. E. Shaw Research).
    void givesTheKnownAnswers() {
        QVERIFY(philox(0, {0, 0, 0, 0}) == (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
        constexpr uint32_t kOnes = 0xffffffff;
        QVERIFY(philox(0xffffffffffffffff, {kOnes, kOnes, kOnes, kOnes}) ==
                (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
        QVERIFY(philox(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
                (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
        std::puts("measured: 3 of 3 known answers of Random123");
    }

    void fillsWithTheSameBlocks() {
        std::mt19937_64 generator(1);
        const auto word = [&] { return static_cast<uint32_t>(generator()); };
        size_t compared = 0;
        for (size_t blocks = 0; blocks < 300; ++blocks) {
            const uint64_t key = generator();
            // every third one runs over the end of the last word
            const PhiloxCounter first = {
                word(), word(), word(),
                blocks % 3 == 0 ? 0xffffffff - static_cast<uint32_t>(blocks / 2) : word()};
            std::vector<uint32_t> filled(4 * blocks + 1, 0xabcdef01);
            philoxFill(key, first, std::span(filled).first(4 * blocks));
            for (size_t i = 0; i < blocks; ++i) {
                const PhiloxBlock block =
                    philox(key, {first[0], first[1], first[2], first[3] + static_cast<uint32_t>(i)});
                for (size_t j = 0; j < 4; ++j)
                    QCOMPARE(filled[4 * i + j], block[j]);
                ++compared;
            }
            QCOMPARE(filled.back(), 0xabcdef01);
        }
        std::printf("measured: %zu blocks of the bulk form equal the single one\n", compared);
    }
};

QTEST_GUILESS_MAIN(TestPhilox)
#include "tst_philox.moc"
