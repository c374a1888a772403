// Checkpoints in shards against hardening.md 3.2: what the index may name, and what the shards must hold.

#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>

#include "core/io/checkpoint.h"
#include "tests/support/planned_model.h"
#include "tests/support/refusal.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;
using Json = nlohmann::ordered_json;

class TestShards : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void refusesIndexes_data();
    void refusesIndexes();
    void refusesLinksThatLeadOutside();

private:
    fs::path folder() const { return dir_->path().toStdString(); }
    std::optional<Refusal> refusalToOpen() const {
        return refusalOf([&] { Checkpoint::open(folder()); });
    }

    std::unique_ptr<QTemporaryDir> dir_;
};

void TestShards::init() {
    dir_ = std::make_unique<QTemporaryDir>();
}

void TestShards::refusesIndexes_data() {
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
    row("S15 8 deep, read", R"({"a":[[[[[[[1]]]]]]]})", "weight_map: is missing");
    row("S15 9 deep", R"({"a":[[[[[[[[1]]]]]]]]})", "nested deeper than 8");
}

void TestShards::refusesIndexes() {
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
void TestShards::refusesLinksThatLeadOutside() {
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

QTEST_GUILESS_MAIN(TestShards)
#include "tst_shards.moc"
