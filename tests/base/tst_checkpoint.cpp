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
