// Where MODEL is found: folder, Hugging Face cache by all its variables, workspace.

#include <QTemporaryDir>
#include <QtTest>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/io/checkpoint.h"
#include "core/io/hub_cache.h"
#include "core/io/model_locator.h"
#include "tests/support/planned_model.h"
#include "tests/support/refusal.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;

class TestModelLocator : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void findsTheCacheByItsVariables();
    void expandsHomeAndVariables();
    void takesTheCommitOfMain();
    void takesTheNewestCompleteSnapshot();
    void believesTheRecordedTree();
    void refusesWhenNothingIsComplete();
    void opensSnapshotsThroughTheirLinks();
    void recordsWhatASnapshotFolderIs();
    void ordersFolderCacheWorkspace();
    void saysHowToDownload();
    void writesNothing();

private:
    fs::path root() const { return dir_->path().toStdString(); }
    fs::path repository() const { return root() / "hub/models--org--name"; }
    fs::path workspace() const { return root() / "workspace"; }
    fs::path addSnapshot(const std::string& commit, int hours_ago, const std::string& without = "") const;
    ModelLocation locate(const std::string& model) const { return locateModel(model, workspace()); }

    std::unique_ptr<QTemporaryDir> dir_;
};

namespace {

const char* const cache_variables[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"};

}  // namespace

void TestModelLocator::init() {
    dir_ = std::make_unique<QTemporaryDir>();
    for (const char* name : cache_variables)
        unsetenv(name);
    setenv("HF_HUB_CACHE", (root() / "hub").c_str(), 1);
    setenv("HOME", (root() / "home").c_str(), 1);
}

/// A snapshot of a sharded model as huggingface_hub lays it out: links into blobs/.
fs::path TestModelLocator::addSnapshot(const std::string& commit, int hours_ago,
                                       const std::string& without) const {
    const fs::path snapshot = repository() / "snapshots" / commit;
    const fs::path blobs = repository() / "blobs";
    fs::create_directories(snapshot);
    fs::create_directories(blobs);
    const fs::path made = root() / "made" / commit;
    plannedModel("llama").writeSharded(made);
    for (const fs::directory_entry& entry : fs::directory_iterator(made)) {
        const std::string name = entry.path().filename();
        const std::string blob = commit + "-" + name;
        if (name == without)
            continue;
        fs::rename(entry.path(), blobs / blob);
        fs::create_symlink("../../blobs/" + blob, snapshot / name);
    }
    fs::last_write_time(snapshot, fs::file_time_type::clock::now() - std::chrono::hours(hours_ago));
    return snapshot;
}

void TestModelLocator::findsTheCacheByItsVariables() {
    const auto set = [](const char* name, const char* value) { setenv(name, value, 1); };
    unsetenv("HF_HUB_CACHE");
    QCOMPARE(hubCacheFolder(), root() / "home/.cache/huggingface/hub");
    set("XDG_CACHE_HOME", "/xdg");
    QCOMPARE(hubCacheFolder(), fs::path("/xdg/huggingface/hub"));
    set("HF_HOME", "/hf");
    QCOMPARE(hubCacheFolder(), fs::path("/hf/hub"));
    set("HUGGINGFACE_HUB_CACHE", "/old");
    QCOMPARE(hubCacheFolder(), fs::path("/old"));
    set("HF_HUB_CACHE", "/new");
    QCOMPARE(hubCacheFolder(), fs::path("/new"));
    set("HF_HUB_CACHE", "");
    QCOMPARE(hubCacheFolder(), fs::path("/old"));
}

void TestModelLocator::expandsHomeAndVariables() {
    setenv("SPD_TEST_DISK", "/disk", 1);
    const std::string home = root() / "home";
    for (const auto& [value, expected] :
         std::vector<std::pair<std::string, std::string>>{{"~/hub", home + "/hub"},
                                                          {"~", home},
                                                          {"$SPD_TEST_DISK/hub", "/disk/hub"},
                                                          {"${SPD_TEST_DISK}/hub", "/disk/hub"},
                                                          {"/a/$SPD_TEST_NONE/b", "/a/$SPD_TEST_NONE/b"},
                                                          {"/a/${SPD_TEST_DISK", "/a/${SPD_TEST_DISK"},
                                                          {"/a/~/b$", "/a/~/b$"}}) {
        setenv("HF_HUB_CACHE", value.c_str(), 1);
        QCOMPARE(hubCacheFolder().native(), expected);
    }
}

void TestModelLocator::takesTheCommitOfMain() {
    const fs::path old = addSnapshot("aaaa", 5);
    addSnapshot("bbbb", 1);
    fs::create_directories(repository() / "refs");
    writeFile(repository() / "refs/main", "aaaa\n");
    const ModelLocation found = locate("org/name");
    QCOMPARE(found.folder, old);
    QCOMPARE(found.id, std::string("org/name"));
    QCOMPARE(found.revision, std::string("aaaa"));
    writeFile(repository() / "refs/main", "../../../../etc");
    QCOMPARE(locate("org/name").revision, std::string("bbbb"));
}

void TestModelLocator::takesTheNewestCompleteSnapshot() {
    addSnapshot("aaaa", 5);
    addSnapshot("bbbb", 3);
    addSnapshot("cccc", 1, "model-00002-of-00002.safetensors");
    fs::create_directories(repository() / "refs");
    writeFile(repository() / "refs/main", "cccc");
    QCOMPARE(locate("org/name").revision, std::string("bbbb"));
    // A damaged index does not hide an older snapshot.
    writeFile(repository() / "blobs/bbbb-model.safetensors.index.json", "{torn");
    QCOMPARE(locate("org/name").revision, std::string("aaaa"));
    addSnapshot("dddd", 2);
    QCOMPARE(locate("org/name").revision, std::string("dddd"));
    // A link whose blob is gone counts as absent.
    fs::remove(repository() / "blobs/dddd-config.json");
    QCOMPARE(locate("org/name").revision, std::string("aaaa"));
}

void TestModelLocator::believesTheRecordedTree() {
    const fs::path newest = addSnapshot("bbbb", 1);
    addSnapshot("aaaa", 5);
    fs::create_directories(repository() / "trees");
    const auto record = [&](const std::string& files, int version = 1) {
        writeFile(repository() / "trees/bbbb.json",
                  "{\"format_version\":" + std::to_string(version) + ",\"files\":{" + files + "}}");
        return locate("org/name").revision;
    };
    const std::string size = std::to_string(fs::file_size(newest / "config.json"));
    const std::string config = "\"config.json\":{\"size\":" + size + ",\"blob_id\":\"x\"}";
    QCOMPARE(record(config), std::string("bbbb"));
    QCOMPARE(record(config + ",\"README.md\":{\"size\":3},\"original/consolidated.00.pth\":{\"size\":9}"),
             std::string("bbbb"));
    QCOMPARE(record(config + ",\"tokenizer.json\":{\"size\":3,\"blob_id\":\"y\"}"), std::string("aaaa"));
    QCOMPARE(record("\"config.json\":{\"size\":1,\"blob_id\":\"x\"}"), std::string("aaaa"));
    QCOMPARE(record(config + ",\"model.safetensors\":{\"size\":3}"), std::string("aaaa"));
    QCOMPARE(record(config + ",\"tokenizer.json\":{\"size\":3}", 2), std::string("bbbb"));
    writeFile(repository() / "trees/bbbb.json", "{torn");
    QCOMPARE(locate("org/name").revision, std::string("bbbb"));
}

void TestModelLocator::refusesWhenNothingIsComplete() {
    addSnapshot("aaaa", 1, "model.safetensors.index.json");
    const auto refusal = refusalOf([&] { locate("org/name"); });
    QVERIFY(refusal && refusal->kind == ErrorKind::not_found && refusal->isOneLine());
    QVERIFY2(refusal->says("commit aaaa lacks model.safetensors") && refusal->says("hf download org/name"),
             refusal->message.c_str());
}

void TestModelLocator::opensSnapshotsThroughTheirLinks() {
    addSnapshot("aaaa", 1);
    const Checkpoint checkpoint = Checkpoint::open(locate("org/name").folder);
    float norm[8] = {};
    checkpoint.read("model.norm.weight", 0, 8, DType::float32, norm);
    const PlannedModel model = plannedModel("llama");
    for (const PlannedTensor& tensor : model.tensors)
        if (tensor.name == "model.norm.weight")
            QCOMPARE(std::string(reinterpret_cast<const char*>(norm), sizeof norm), tensor.bytes);
}

void TestModelLocator::recordsWhatASnapshotFolderIs() {
    const fs::path snapshot = addSnapshot("aaaa", 1);
    const ModelLocation found = locate(snapshot.native());
    QCOMPARE(found.id, std::string("org/name"));
    QCOMPARE(found.revision, std::string("aaaa"));
    QCOMPARE(found.folder, snapshot);
}

void TestModelLocator::ordersFolderCacheWorkspace() {
    fs::create_directories(workspace() / "models/org/name");
    fs::create_directories(workspace() / "models/small");
    QCOMPARE(locate("org/name").folder, workspace() / "models/org/name");
    const fs::path snapshot = addSnapshot("aaaa", 1);
    QCOMPARE(locate("org/name").folder, snapshot);
    QCOMPARE(locate("small").folder, workspace() / "models/small");
    QCOMPARE(locate("small").id, std::string("small"));
    QCOMPARE(locate((workspace() / "models/small/").native()).folder, workspace() / "models/small/");
    fs::create_directories(workspace() / "outside");
    for (const std::string model : {"../outside", "small/../../outside", "", "none"})
        QVERIFY2(refusalOf([&] { locate(model); })->kind == ErrorKind::not_found, model.c_str());
}

void TestModelLocator::saysHowToDownload() {
    const auto refusal = refusalOf([&] { locate("Qwen/Qwen2.5-0.5B"); });
    QVERIFY(refusal && refusal->kind == ErrorKind::not_found && refusal->isOneLine());
    QVERIFY2(refusal->message.ends_with("hf download Qwen/Qwen2.5-0.5B"), refusal->message.c_str());
    for (const char* id : {"org/name", "a/b", "Org-1/na_me.v2"})
        QVERIFY2(isHubId(id), id);
    for (const char* id :
         {"name", "/name", "org/", "a/b/c", "-a/b", "a/.b", "a--b/c", "a/b..c", "a b/c", "a/b;c", "../b"})
        QVERIFY2(!isHubId(id), id);
}

void TestModelLocator::writesNothing() {
    addSnapshot("aaaa", 1);
    const auto listing = [&] {
        std::string all;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root() / "hub"))
            all += entry.path().native() + " " +
                   std::to_string(fs::last_write_time(entry.path()).time_since_epoch().count()) + "\n";
        return all;
    };
    const std::string before = listing();
    Checkpoint::open(locate("org/name").folder);
    QCOMPARE(listing(), before);
}

QTEST_GUILESS_MAIN(TestModelLocator)
#include "tst_model_locator.moc"
