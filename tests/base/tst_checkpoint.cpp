// Checkpoint folders: shards, shapes and tied heads against hardening.md 3.2 and C5, C9; every element is
// compared.

#include <sys/stat.h>

#include <QTemporaryDir>
#include <QtTest>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <thread>

#include "core/io/checkpoint.h"
#include "core/io/load_report.h"
#include "core/io/weights/convert.h"
#include "tests/support/planned_model.h"
#include "tests/support/refusal.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;
using Json = nlohmann::ordered_json;

class TestCheckpoint : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void readsEveryFamily_data();
    void readsEveryFamily();
    void readsFromSeveralThreads();
    void readsLinearBiases();
    void acceptsTiedModels();
    void refusesTensorsThatDoNotFit();
    void refusesOtherTypes();
    void ignoresExtraTensors();
    void refusesIndexes_data();
    void refusesIndexes();
    void refusesLinksThatLeadOutside();
    void refusesPickles();
    void refusesAnEnormousHole();
    void noticesChanges();
    void reportsEverythingAtOnce();

private:
    fs::path folder() const { return dir_->path().toStdString(); }
    std::optional<Refusal> refusalToOpen() const {
        return refusalOf([&] { Checkpoint::open(folder()); });
    }

    std::unique_ptr<QTemporaryDir> dir_;
};

namespace {

DType typeOf(const PlannedTensor& tensor) {
    return tensor.dtype == "F32" ? DType::float32 : tensor.dtype == "F16" ? DType::float16 : DType::bfloat16;
}

int64_t elementsOf(const PlannedTensor& tensor) {
    return static_cast<int64_t>(tensor.bytes.size()) / bytesPerElement(typeOf(tensor));
}

/// Reads the tensor whole and in two parts and compares the bytes with the stored ones.
bool readsAsStored(const Checkpoint& checkpoint, const PlannedTensor& tensor) {
    const int64_t count = elementsOf(tensor);
    for (const DType as : {DType::float32, DType::bfloat16, DType::float16}) {
        const auto width = static_cast<size_t>(bytesPerElement(as));
        std::string expected(static_cast<size_t>(count) * width, '\0');
        convertElements(tensor.bytes.data(), typeOf(tensor), expected.data(), as, static_cast<size_t>(count));
        std::string whole(expected.size(), '\1');
        checkpoint.read(tensor.name, 0, count, as, whole.data());
        std::string parts(expected.size(), '\1');
        checkpoint.read(tensor.name, 0, count / 3, as, parts.data());
        checkpoint.read(tensor.name, count / 3, count - count / 3, as,
                        parts.data() + static_cast<size_t>(count / 3) * width);
        if (whole != expected || parts != expected)
            return false;
    }
    return true;
}

}  // namespace

void TestCheckpoint::init() {
    dir_ = std::make_unique<QTemporaryDir>();
}

void TestCheckpoint::readsEveryFamily_data() {
    QTest::addColumn<QByteArray>("family");
    QTest::addColumn<QByteArray>("dtype");
    QTest::addColumn<bool>("sharded");
    for (const char* family : {"llama", "qwen2", "qwen3"})
        for (const char* dtype : {"F32", "BF16", "F16"})
            for (const bool sharded : {false, true})
                QTest::addRow("%s %s %s", family, dtype, sharded ? "sharded" : "single")
                    << QByteArray(family) << QByteArray(dtype) << sharded;
}

void TestCheckpoint::readsEveryFamily() {
    QFETCH(QByteArray, family);
    QFETCH(QByteArray, dtype);
    QFETCH(bool, sharded);
    const PlannedModel model = plannedModel(family.toStdString(), dtype.toStdString());
    if (sharded)
        model.writeSharded(folder());
    else
        model.writeSingle(folder());
    const Checkpoint checkpoint = Checkpoint::open(folder());
    QCOMPARE(expectedTensors(checkpoint.config()).size(), model.tensors.size());
    for (const PlannedTensor& tensor : model.tensors) {
        QVERIFY(checkpoint.storedType(tensor.name) == typeOf(tensor));
        QVERIFY2(readsAsStored(checkpoint, tensor), tensor.name.c_str());
    }
    checkpoint.checkUnchanged();
    float out = 0;
    QVERIFY(refusalOf([&] { checkpoint.read("none", 0, 1, DType::float32, &out); })->kind ==
            ErrorKind::internal);
    for (const auto& [first, count] :
         std::vector<std::pair<int64_t, int64_t>>{{-1, 1}, {0, 9}, {9, 0}, {8, 1}, {1, INT64_MAX}})
        QVERIFY(refusalOf([&, from = first, n = count] {
                    checkpoint.read("model.norm.weight", from, n, DType::float32, &out);
                })->kind == ErrorKind::internal);
}

void TestCheckpoint::readsFromSeveralThreads() {
    const PlannedModel model = plannedModel("llama", "BF16");
    model.writeSharded(folder());
    const Checkpoint checkpoint = Checkpoint::open(folder());
    std::vector<int> wrong(4, 0);
    std::vector<std::thread> threads;
    for (int& count : wrong)
        threads.emplace_back([&] {
            for (int round = 0; round < 20; ++round)
                for (const PlannedTensor& tensor : model.tensors)
                    count += readsAsStored(checkpoint, tensor) ? 0 : 1;
        });
    for (std::thread& thread : threads)
        thread.join();
    QCOMPARE(wrong, std::vector<int>(4, 0));
}

void TestCheckpoint::readsLinearBiases() {
    PlannedModel model = plannedModel("llama");
    model.config["attention_bias"] = true;
    model.config["mlp_bias"] = true;
    model.writeConfig(folder());
    std::vector<std::string> biases;
    for (const ExpectedTensor& tensor : expectedTensors(readModelConfig(folder())))
        if (tensor.name.ends_with(".bias"))
            biases.push_back(tensor.name + " " + std::to_string(tensor.shape.at(0)));
    const std::vector<std::string> expected_first = {
        "model.layers.0.self_attn.q_proj.bias 16", "model.layers.0.self_attn.k_proj.bias 8",
        "model.layers.0.self_attn.v_proj.bias 8",  "model.layers.0.self_attn.o_proj.bias 8",
        "model.layers.0.mlp.gate_proj.bias 12",    "model.layers.0.mlp.up_proj.bias 12",
        "model.layers.0.mlp.down_proj.bias 8"};
    QCOMPARE(biases.size(), 2 * expected_first.size());
    QVERIFY(std::equal(expected_first.begin(), expected_first.end(), biases.begin()));
    model.writeSingle(folder());
    QCOMPARE(refusalToOpen()->details, size_t{14});
}

/// C9
void TestCheckpoint::acceptsTiedModels() {
    PlannedModel model = plannedModel("qwen2", "BF16");
    model.config["tie_word_embeddings"] = true;
    PlannedModel without = model;
    without.remove("lm_head.weight");
    without.writeSingle(folder());
    QVERIFY(!refusalToOpen());
    model.tensor("lm_head.weight").bytes = model.tensor("model.embed_tokens.weight").bytes;
    model.writeSingle(folder());
    QVERIFY(!refusalToOpen());
    QCOMPARE(inspectCheckpoint(folder()).count(TensorReport::State::unused), 0);

    model.tensor("lm_head.weight").bytes[2 * 87 + 1] ^= 1;
    model.writeSingle(folder());
    const auto refusal = refusalToOpen();
    QVERIFY(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine());
    QVERIFY2(refusal->says("lm_head.weight") && refusal->says("element 87"), refusal->message.c_str());
    QVERIFY(!inspectCheckpoint(folder()).loads());

    model.tensor("lm_head.weight").shape = {8, 11};
    model.writeSingle(folder());
    QVERIFY2(refusalToOpen()->says("shape [8, 11]"), refusalToOpen()->message.c_str());
}

/// C5
void TestCheckpoint::refusesTensorsThatDoNotFit() {
    const PlannedModel good = plannedModel("qwen3");
    int refused = 0;
    for (const PlannedTensor& tensor : good.tensors) {
        PlannedModel missing = good;
        missing.remove(tensor.name);
        missing.writeSingle(folder());
        auto refusal = refusalToOpen();
        QVERIFY2(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine(),
                 tensor.name.c_str());
        QVERIFY2(refusal->says(tensor.name) && refusal->says("is missing"), refusal->message.c_str());

        PlannedModel reshaped = good;
        std::vector<int64_t>& shape = reshaped.tensor(tensor.name).shape;
        if (shape.size() == 2)
            shape = {shape[0] * shape[1]};
        else
            shape = {1, shape[0]};
        reshaped.writeSingle(folder());
        refusal = refusalToOpen();
        QVERIFY2(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine(),
                 tensor.name.c_str());
        QVERIFY2(refusal->says(tensor.name) && refusal->says("config.json says"), refusal->message.c_str());
        refused += 2;
    }
    PlannedModel larger = good;
    larger.config["vocab_size"] = 12;
    larger.writeSingle(folder());
    const auto refusal = refusalToOpen();
    QCOMPARE(refusal->details, size_t{2});
    QVERIFY2(refusal->says("and 1 more"), refusal->message.c_str());
    std::cout << "measured: tensors missing or of the wrong shape refused " << refused << "\n";
}

void TestCheckpoint::refusesOtherTypes() {
    for (const std::string dtype : {"I32", "F64", "F8_E4M3", "U8"}) {
        PlannedModel model = plannedModel("llama");
        PlannedTensor& norm = model.tensor("model.norm.weight");
        norm.dtype = dtype;
        norm.bytes = std::string(dtype == "F64" ? 64 : dtype == "I32" ? 32 : 8, '\0');
        model.writeSingle(folder());
        const auto refusal = refusalToOpen();
        QVERIFY(refusal && refusal->kind == ErrorKind::unsupported_model && refusal->isOneLine());
        QVERIFY2(refusal->says("model.norm.weight") && refusal->says(dtype), refusal->message.c_str());
    }
}

void TestCheckpoint::ignoresExtraTensors() {
    PlannedModel model = plannedModel("llama");
    model.tensors.push_back(
        {"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {2}, std::string(8, '\0')});
    model.tensors.push_back({"extra", "I64", {}, std::string(8, '\0')});
    model.writeSingle(folder());
    QVERIFY(!refusalToOpen());
    const LoadReport report = inspectCheckpoint(folder());
    QVERIFY(report.loads());
    QCOMPARE(report.count(TensorReport::State::unused), 2);
}

void TestCheckpoint::refusesIndexes_data() {
    QTest::addColumn<QByteArray>("index");  // replaces the sound one; empty: the sound one
    QTest::addColumn<QByteArray>("says");
    const PlannedModel model = plannedModel("llama");
    const Json good = model.index();
    const auto row = [](const char* what, const std::string& index, const char* says) {
        QTest::newRow(what) << QByteArray(index.c_str()) << QByteArray(says);
    };
    const auto pointing = [&](const std::string& shard) {
        Json index = good;
        index["weight_map"]["model.norm.weight"] = shard;
        return index.dump();
    };
    row("I1 absolute", pointing("/etc/passwd"), "not a plain file name");
    row("I1 absolute with suffix", pointing("/tmp/x.safetensors"), "not a plain file name");
    row("I1 parent", pointing("../x.safetensors"), "not a plain file name");
    row("I1 dots", pointing(".."), "not a plain file name");
    row("I1 slash", pointing("a/x.safetensors"), "not a plain file name");
    row("I1 backslash", pointing("a\\x.safetensors"), "not a plain file name");
    row("I1 NUL", pointing(std::string("x\0.safetensors", 14)), "not a plain file name");
    row("I1 newline", pointing("x\n.safetensors"), "not a plain file name");
    row("I1 other suffix", pointing("pytorch_model.bin"), "not a plain file name");
    row("I1 hidden", pointing(".safetensors"), "not a plain file name");
    row("I1 empty", pointing(""), "not a plain file name");
    row("I1 long", pointing(std::string(300, 'x') + ".safetensors"), "not a plain file name");
    Json index = good;
    index["weight_map"]["nowhere"] = "model-00001-of-00002.safetensors";
    row("I2 in no shard", index.dump(), "is not in model-00001-of-00002.safetensors");
    row("I2 in another shard", pointing("model-00002-of-00002.safetensors"), "but it is in model-00001");
    index = good;
    index["weight_map"].erase("model.norm.weight");
    row("I2 not in the map", index.dump(), "not in the weight_map");
    for (const char* size : {"0", "1", "999999", "-1", "1.5", "\"8\"", "true", "1e300"}) {
        index = good;
        index["metadata"]["total_size"] = Json::parse(size);
        row((std::string("I3 total_size ") + size).c_str(), index.dump(), "total_size");
    }
    row("I4 missing", pointing("model-00003-of-00003.safetensors"), "not in the folder");
    row("I4 by case", pointing("MODEL-00001-of-00002.safetensors"), "differs from");
    index = good;
    for (int i = 0; i < 4100; ++i)
        index["weight_map"]["t" + std::to_string(i)] = std::to_string(i) + ".safetensors";
    row("I5 4,102 shards", index.dump(), "more than 4096 shards");
    row("shape: list", "[]", "must be a JSON object");
    row("shape: no map", "{}", "weight_map: is missing");
    row("shape: empty map", R"({"weight_map":{}})", "names no tensor");
    row("shape: map is a list", R"({"weight_map":[]})", "weight_map: must be an object");
    row("shape: number for a shard", R"({"weight_map":{"a":1}})", "must be a file name");
    row("shape: metadata is a list", R"({"metadata":[],"weight_map":{"a":"b.safetensors"}})",
        "metadata: must be an object");
    row("duplicate", R"({"weight_map":{"a":"b.safetensors","a":"b.safetensors"}})", "duplicate key");
    row("deep", R"({"a":[[[[[[[[[1]]]]]]]]]})", "nested deeper");
}

void TestCheckpoint::refusesIndexes() {
    QFETCH(QByteArray, index);
    QFETCH(QByteArray, says);
    plannedModel("llama").writeSharded(folder());
    QVERIFY(!refusalToOpen());
    writeFile(folder() / "model.safetensors.index.json", index.toStdString());
    const auto refusal = refusalToOpen();
    QVERIFY2(refusal, "accepted");
    QVERIFY2(refusal->kind == ErrorKind::file_format && refusal->isOneLine(), refusal->message.c_str());
    QVERIFY2(refusal->says(says.toStdString()) && refusal->says(".safetensors"), refusal->message.c_str());
    QVERIFY(refusal->seconds < most_seconds);
}

/// I1 by links, I2 with a tensor in both shards, I6 for the other files of the folder.
void TestCheckpoint::refusesLinksThatLeadOutside() {
    const fs::path model = folder() / "model";
    const PlannedModel plan = plannedModel("llama");
    plan.writeSharded(model);
    fs::rename(model / "model-00002-of-00002.safetensors", folder() / "outside.safetensors");
    fs::create_symlink("../outside.safetensors", model / "model-00002-of-00002.safetensors");
    const auto open = [&] { return refusalOf([&] { Checkpoint::open(model); }); };
    QVERIFY2(open()->kind == ErrorKind::file_format && open()->says("outside"), open()->message.c_str());
    fs::rename(folder() / "outside.safetensors", model / "inside.bin");
    fs::remove(model / "model-00002-of-00002.safetensors");
    fs::create_symlink("inside.bin", model / "model-00002-of-00002.safetensors");
    QVERIFY(!open());

    for (const char* name : {"config.json", "generation_config.json", "model.safetensors.index.json"}) {
        plan.writeSharded(model);
        const fs::path target = folder() / "outside.json";
        if (fs::exists(model / name))
            fs::rename(model / name, target);
        else
            writeFile(target, "{}");
        fs::create_symlink(target, model / name);
        const auto refusal = open();
        QVERIFY2(refusal && refusal->kind == ErrorKind::file_format && refusal->says("outside"), name);
        fs::remove(model / name);
    }

    PlannedModel twice = plan;
    PlannedTensor again = twice.tensor("model.norm.weight");
    again.shard = "model-00002-of-00002.safetensors";
    twice.tensors.push_back(again);
    twice.writeShards(model);
    writeFile(model / "model.safetensors.index.json", plan.index().dump());
    QVERIFY2(open()->says("is in model-0000") && open()->says("and in model-0000"), open()->message.c_str());
}

void TestCheckpoint::refusesPickles() {
    plannedModel("llama").writeConfig(folder());
    QVERIFY(refusalToOpen()->kind == ErrorKind::not_found);
    for (const char* name : {"x.ckpt", "consolidated.00.pth", "adapter.pt", "pytorch_model.bin"}) {
        // A FIFO would hang whoever opens it.
        QCOMPARE(mkfifo((folder() / name).c_str(), 0600), 0);
        const auto refusal = refusalToOpen();
        QVERIFY2(refusal->kind == ErrorKind::file_format && refusal->isOneLine(), refusal->message.c_str());
        QVERIFY2(refusal->says(name) && refusal->says("pickle"), refusal->message.c_str());
        fs::remove(folder() / name);
    }
}

/// F4: 1 TiB of nothing, refused by the arithmetic of its header and of config.json.
void TestCheckpoint::refusesAnEnormousHole() {
    constexpr uint64_t tebibyte = uint64_t{1} << 40;
    const PlannedModel model = plannedModel("llama");
    model.writeSingle(folder());
    std::error_code error;
    fs::resize_file(folder() / "model.safetensors", tebibyte, error);
    if (error)
        QSKIP("the file system holds no file of 1 TiB");
    QVERIFY2(refusalToOpen()->says("extra bytes"), refusalToOpen()->message.c_str());

    const std::string header =
        R"({"model.norm.weight":{"dtype":"F32","shape":[274877906944],"data_offsets":[0,1099511627776]}})";
    std::string length(8, '\0');
    length[0] = static_cast<char>(header.size());
    writeFile(folder() / "model.safetensors", length + header);
    fs::resize_file(folder() / "model.safetensors", 8 + header.size() + tebibyte);
    const auto refusal = refusalToOpen();
    QVERIFY2(refusal->kind == ErrorKind::file_format && refusal->details > 1, refusal->message.c_str());
    QVERIFY(refusal->seconds < most_seconds);
}

/// F2
void TestCheckpoint::noticesChanges() {
    const PlannedModel model = plannedModel("llama");
    model.writeSharded(folder());
    const Checkpoint checkpoint = Checkpoint::open(folder());
    checkpoint.checkUnchanged();
    fs::last_write_time(folder() / "model-00002-of-00002.safetensors",
                        fs::file_time_type::clock::now() + std::chrono::hours(1));
    const auto refusal = refusalOf([&] { checkpoint.checkUnchanged(); });
    QVERIFY(refusal && refusal->kind == ErrorKind::io && refusal->says("model-00002-of-00002.safetensors"));
}

void TestCheckpoint::reportsEverythingAtOnce() {
    PlannedModel model = plannedModel("qwen2", "BF16");
    const LoadReport before = [&] {
        model.writeSharded(folder());
        return inspectCheckpoint(folder());
    }();
    QVERIFY(before.loads());
    QCOMPARE(before.file_count, 2);
    QCOMPARE(before.type_counts.at("BF16"), static_cast<int64_t>(model.tensors.size()));
    int64_t parameters = 0;
    for (const PlannedTensor& tensor : model.tensors)
        parameters += elementsOf(tensor);
    QCOMPARE(before.parameters, parameters);
    QCOMPARE(before.stored_bytes, 2 * parameters);

    model.remove("model.layers.0.self_attn.q_proj.bias");
    model.remove("model.norm.weight");
    model.tensor("lm_head.weight").shape = {8, 11};
    model.tensor("model.layers.1.input_layernorm.weight").dtype = "I16";
    model.tensors.push_back({"extra", "F32", {1}, "1234"});
    model.writeSharded(folder());
    const LoadReport report = inspectCheckpoint(folder());
    using State = TensorReport::State;
    QCOMPARE(report.count(State::missing), 2);
    QCOMPARE(report.count(State::wrong_shape), 1);
    QCOMPARE(report.count(State::wrong_type), 1);
    QCOMPARE(report.count(State::unused), 1);
    QCOMPARE(report.count(State::found), before.count(State::found) - 4);
    QCOMPARE(report.problems.size(), size_t{4});
    QCOMPARE(refusalToOpen()->details, size_t{4});
    QVERIFY(refusalToOpen()->kind == ErrorKind::file_format);
}

QTEST_GUILESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
