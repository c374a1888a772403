// Structure-aware damage to safetensors headers, shard indexes, config.json and whole folders: refused in one
// line or read soundly, never a crash, a hang or memory out of proportion. SPD_FUZZ_RUNS multiplies the
// inputs.

#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>
#include <functional>
#include <iostream>
#include <random>

#include "core/io/checkpoint.h"
#include "core/io/load_report.h"
#include "core/io/safetensors/header.h"
#include "core/io/weights/shard_index.h"
#include "tests/support/allocation_meter.h"
#include "tests/support/hostile_safetensors.h"
#include "tests/support/json_mutator.h"
#include "tests/support/planned_model.h"
#include "tests/support/refusal.h"
#include "tests/support/second_safetensors_reader.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;

namespace {

int runs(int base) {
    const int factor = qEnvironmentVariableIntValue("SPD_FUZZ_RUNS");
    return base * std::max(factor, 1);
}

/// What became of a number of inputs.
struct Tally {
    int accepted = 0;
    int refused = 0;
    double slowest = 0;
    size_t largest_peak = 0;

    void print(const char* what) const {
        std::cout << "measured: " << what << ": " << accepted + refused << " mutated inputs, " << accepted
                  << " accepted, " << refused << " refused, slowest " << slowest << " s, largest allocation "
                  << largest_peak << " bytes\n";
    }
};

/// Runs `read` on an input of `bytes` bytes; empty string when all is well, else what is wrong.
std::string check(Tally& tally, size_t bytes, const std::string& file, const std::function<void()>& read) {
    startMeter();
    const double start = processorSeconds();
    const auto refusal = refusalOf(read);
    const double took = processorSeconds() - start;
    const size_t peak = meteredPeak();
    ++(refusal ? tally.refused : tally.accepted);
    tally.slowest = std::max(tally.slowest, took);
    tally.largest_peak = std::max(tally.largest_peak, peak);
    if (took > most_seconds)
        return "took " + std::to_string(took) + " s";
    if (peak > 2 * bytes + (size_t{16} << 20))
        return "held " + std::to_string(peak) + " bytes";
    if (!refusal)
        return "";
    const bool kind = refusal->kind == ErrorKind::file_format ||
                      refusal->kind == ErrorKind::unsupported_model || refusal->kind == ErrorKind::not_found;
    if (!kind || !refusal->isOneLine() || !refusal->says(file))
        return refusal->message;
    return "";
}

std::vector<std::string> seedFiles() {
    std::vector<std::string> seeds;
    for (const SafetensorsCase& one : safetensorsToAccept())
        if (const std::string bytes = one.bytes(); bytes.size() < 4000)
            seeds.push_back(bytes);
    std::string header = "{\"__metadata__\":{\"format\":\"pt\"}";
    std::string data;
    for (int i = 0; i < 12; ++i) {
        header += "," + tensorJson("model.layers." + std::to_string(i) + ".w", "\"F32\"", "[2,1]",
                                   "[" + std::to_string(8 * i) + "," + std::to_string(8 * i + 8) + "]");
        data += "12345678";
    }
    seeds.push_back(safetensorsFile(header + "}", data));
    return seeds;
}

}  // namespace

class TestSafetensorsMutation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void headers();
    void frames();
    void indexes();
    void configs();
    void folders();
};

void TestSafetensorsMutation::headers() {
    const std::vector<std::string> seeds = seedFiles();
    Tally tally;
    JsonMutator mutator(11);
    for (int i = 0; i < runs(8000); ++i) {
        const std::string& seed = seeds[mutator.below(seeds.size())];
        const uint64_t length = headerLength(seed.substr(0, 64), seed.size(), "seed");
        const std::string header = mutator.mutate(seed.substr(8, length));
        const std::string data = seed.substr(8 + length);
        const std::string wrong = check(tally, header.size() + data.size(), "f.safetensors", [&] {
            const SafetensorsHeader read = parseSafetensorsHeader(header, data.size(), "f.safetensors");
            if (!readSafetensorsSlowly(safetensorsFile(header, data)))
                throw std::logic_error("accepted what the second reader refuses: " + header);
            for (const TensorEntry& entry : read.tensors)
                if (entry.end > data.size() || entry.begin > entry.end)
                    throw std::logic_error("a range outside the data");
        });
        QVERIFY2(wrong.empty(), (wrong + "\n" + header).c_str());
    }
    tally.print("safetensors headers");
    QVERIFY(tally.accepted > 0 && tally.refused > 0);
}

void TestSafetensorsMutation::frames() {
    const std::vector<std::string> seeds = seedFiles();
    Tally tally;
    JsonMutator mutator(12);
    for (int i = 0; i < runs(3000); ++i) {
        const std::string file = mutator.damageBytes(seeds[mutator.below(seeds.size())]);
        const std::string wrong = check(tally, file.size(), "f.safetensors", [&] {
            const uint64_t length = headerLength(file.substr(0, 64), file.size(), "f.safetensors");
            parseSafetensorsHeader(file.substr(8, length), file.size() - 8 - length, "f.safetensors");
            if (!readSafetensorsSlowly(file))
                throw std::logic_error("accepted what the second reader refuses");
        });
        QVERIFY2(wrong.empty(), wrong.c_str());
    }
    tally.print("safetensors files");
}

void TestSafetensorsMutation::indexes() {
    const std::string seed = plannedModel("qwen2").index().dump();
    Tally tally;
    JsonMutator mutator(13);
    for (int i = 0; i < runs(3000); ++i) {
        const std::string text = mutator.mutate(seed);
        const std::string wrong = check(tally, text.size(), "index.json", [&] {
            for (const std::string& shard : parseShardIndex(text, "index.json").shards)
                if (shard.find('/') != std::string::npos || !shard.ends_with(".safetensors"))
                    throw std::logic_error("a shard that is no plain name: " + shard);
        });
        QVERIFY2(wrong.empty(), (wrong + "\n" + text).c_str());
    }
    tally.print("shard indexes");
    QVERIFY(tally.accepted > 0 && tally.refused > 0);
}

void TestSafetensorsMutation::configs() {
    Tally tally;
    JsonMutator mutator(14);
    for (int i = 0; i < runs(4000); ++i) {
        const std::vector<std::string> families = {"llama", "qwen2", "qwen3"};
        nlohmann::ordered_json json = plannedModel(families[mutator.below(3)]).config;
        json["rope_scaling"] = {
            {"rope_type", "llama3"}, {"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}};
        const std::string text = mutator.mutate(json.dump());
        const std::string wrong = check(tally, text.size(), "config.json", [&] {
            const ModelConfig config = parseModelConfig(text, "config.json");
            if (config.kvWidth() <= 0 || config.num_attention_heads % config.num_key_value_heads != 0)
                throw std::logic_error("heads that do not fit");
            for (const ExpectedTensor& tensor : expectedTensors(config))
                for (const int64_t dimension : tensor.shape)
                    if (dimension <= 0 || dimension > int64_t{1} << 32)
                        throw std::logic_error("a dimension out of bounds");
        });
        QVERIFY2(wrong.empty(), (wrong + "\n" + text).c_str());
    }
    tally.print("config.json");
    QVERIFY(tally.accepted > 0 && tally.refused > 0);
}

/// Whole folders, with one of their files damaged.
void TestSafetensorsMutation::folders() {
    const QTemporaryDir dir;
    const fs::path folder = dir.path().toStdString();
    const PlannedModel model = plannedModel("qwen3", "BF16");
    model.writeSharded(folder);
    Tally tally;
    JsonMutator mutator(15);
    for (int i = 0; i < runs(600); ++i) {
        const std::vector<std::string> names = {"config.json", "model.safetensors.index.json",
                                                "model-00001-of-00002.safetensors"};
        const fs::path damaged = folder / names[mutator.below(3)];
        const fs::path kept = folder / "kept";
        fs::rename(damaged, kept);
        std::string bytes(fs::file_size(kept), '\0');
        QFile file(QString::fromStdString(kept.native()));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.read(bytes.data(), static_cast<qint64>(bytes.size())),
                 static_cast<qint64>(bytes.size()));
        writeFile(damaged,
                  damaged.extension() == ".json" ? mutator.mutate(bytes) : mutator.damageBytes(bytes));
        const std::string wrong = check(tally, 100'000, folder.native(), [&] {
            inspectCheckpoint(folder);
            const Checkpoint checkpoint = Checkpoint::open(folder);
            float norm[8];
            checkpoint.read("model.norm.weight", 0, 8, DType::float32, norm);
        });
        fs::rename(kept, damaged);
        QVERIFY2(wrong.empty(), wrong.c_str());
    }
    tally.print("checkpoint folders");
    QVERIFY(tally.accepted > 0 && tally.refused > 0);
}

QTEST_GUILESS_MAIN(TestSafetensorsMutation)
#include "tst_safetensors_mutation.moc"
