// The files of a subspace: what is written comes back, and what does not belong together is refused.

#include <QTest>
#include <cmath>
#include <cstdio>
#include <functional>

#include "core/base/atomic_folder.h"
#include "core/base/strict_json.h"
#include "core/io/safetensors/writer.h"
#include "core/subspace/files/subspace_json.h"
#include "core/subspace/files/subspace_tensors.h"
#include "core/subspace/subspace_folder.h"
#include "tests/support/refusal.h"
#include "tests/support/subspaces.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using Json = nlohmann::ordered_json;

Q_DECLARE_METATYPE(std::function<void(Json&)>)
Q_DECLARE_METATYPE(std::function<void(Subspace&)>)

class TestSubspaceFolder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void comesBackAsItWas_data();
    void comesBackAsItWas();
    void equalSubspacesHaveEqualBytes();
    void publishesBothFilesAtOnce();
    void refusesAlteredJson_data();
    void refusesAlteredJson();
    void refusesAlteredTensors_data();
    void refusesAlteredTensors();
    void refusesOtherFiles();
};

namespace {

void verifyEqual(const Subspace& a, const Subspace& b) {
    QCOMPARE(QString::fromStdString(subspaceJson(a)), QString::fromStdString(subspaceJson(b)));
    QVERIFY(a.layers == b.layers && a.examples.size() == b.examples.size());
    for (size_t i = 0; i < a.examples.size(); ++i)
        QVERIFY(a.examples[i].id == b.examples[i].id && a.examples[i].loss == b.examples[i].loss);
    QCOMPARE(a.targets.size(), b.targets.size());
    for (const auto& [target, measured] : a.targets) {
        const TargetSubspace& other = b.targets.at(target);
        QCOMPARE(measured.heads.size(), other.heads.size());
        for (size_t i = 0; i < measured.heads.size(); ++i) {
            const Spectrum& x = measured.heads[i];
            const Spectrum& y = other.heads[i];
            QVERIFY(x.gram == y.gram && x.singular_values == y.singular_values);
            QVERIFY(x.right_singular_vectors == y.right_singular_vectors);
            QVERIFY(x.split_half_overlap == y.split_half_overlap && x.numeric_rank == y.numeric_rank);
            QVERIFY(x.effective_rank == y.effective_rank && x.stable_rank == y.stable_rank);
        }
    }
}

std::optional<test::Refusal> refusalOfReading(const std::filesystem::path& folder) {
    return test::refusalOf([&] { readSubspace(folder); });
}

}  // namespace

void TestSubspaceFolder::comesBackAsItWas_data() {
    QTest::addColumn<bool>("per_head");
    QTest::addColumn<int>("numeric_rank");
    QTest::newRow("one basis") << false << 0;
    QTest::newRow("per head") << true << 0;
    QTest::newRow("low rank") << false << 5;
}

void TestSubspaceFolder::comesBackAsItWas() {
    QFETCH(bool, per_head);
    QFETCH(int, numeric_rank);
    const test::TemporaryFolder folder;
    const Subspace subspace =
        test::randomSubspace({.per_head = per_head, .site = KvSite::post_rope, .numeric_rank = numeric_rank});
    writeSubspaceFiles(folder.path(), subspace);
    verifyEqual(subspace, readSubspace(folder.path()));
}

void TestSubspaceFolder::equalSubspacesHaveEqualBytes() {
    const test::TemporaryFolder a, b, c;
    writeSubspaceFiles(a.path(), test::randomSubspace({}));
    writeSubspaceFiles(b.path(), test::randomSubspace({}));
    writeSubspaceFiles(c.path(), test::randomSubspace({.seed = 2}));
    for (const char* name : {kSubspaceJson, kSubspaceTensors})
        QVERIFY(test::contentOf(a / name) == test::contentOf(b / name));
    QCOMPARE(subspaceSha256(a.path()), subspaceSha256(b.path()));
    QVERIFY(subspaceSha256(a.path()) != subspaceSha256(c.path()));
    QCOMPARE(subspaceSha256(a.path()).size(), size_t{64});
}

void TestSubspaceFolder::publishesBothFilesAtOnce() {
    const test::TemporaryFolder folder;
    const Subspace subspace = test::randomSubspace({});
    {
        AtomicFolder out(folder / "out", kSubspaceJson);
        writeSubspaceFiles(out.path(), subspace);
        QVERIFY(!std::filesystem::exists(folder / "out"));
        out.commit();
    }
    verifyEqual(subspace, readSubspace(folder / "out"));
}

void TestSubspaceFolder::refusesAlteredJson_data() {
    QTest::addColumn<std::function<void(Json&)>>("alter");
    const auto row = [](const char* name, std::function<void(Json&)> alter) { QTest::newRow(name) << alter; };
    for (const char* key : {"format_version", "model", "tokenizer_sha256", "site", "per_head", "loss",
                            "dtype", "num_hidden_layers", "layers", "examples", "targets"})
        QTest::addRow("without %s", key)
            << std::function<void(Json&)>([key](Json& json) { json.erase(key); });
    for (const char* key :
         {"rows", "nonzero_rows", "numeric_rank", "effective_rank", "stable_rank", "split_half_overlap"})
        QTest::addRow("without %s", key)
            << std::function<void(Json&)>([key](Json& json) { json["targets"]["1.v"].erase(key); });
    row("newer version", [](Json& json) { json["format_version"] = 2; });
    row("model is a text", [](Json& json) { json["model"] = "here"; });
    row("hash too short", [](Json& json) { json["tokenizer_sha256"] = "abc"; });
    row("hash in capitals", [](Json& json) { json["model"]["config_sha256"] = std::string(64, 'A'); });
    row("unknown site", [](Json& json) { json["site"] = "pre_norm"; });
    row("per_head 1", [](Json& json) { json["per_head"] = 1; });
    row("per head after all", [](Json& json) { json["per_head"] = true; });
    row("unknown loss", [](Json& json) { json["loss"] = "mse"; });
    row("unknown dtype", [](Json& json) { json["dtype"] = "float64"; });
    row("no layers", [](Json& json) { json["num_hidden_layers"] = 0; });
    row("too many layers", [](Json& json) { json["num_hidden_layers"] = 513; });
    row("layers empty", [](Json& json) { json["layers"] = Json::array(); });
    row("layers descend", [](Json& json) { json["layers"] = {3, 1}; });
    row("layers twice", [](Json& json) { json["layers"] = {1, 1}; });
    row("layer past the last", [](Json& json) { json["layers"] = {1, 4}; });
    row("layer after the last", [](Json& json) { json["layers"] = {1, 3, 4}; });
    row("layer fractional", [](Json& json) { json["layers"] = {1, 2.5}; });
    row("a target less", [](Json& json) { json["targets"].erase("3.k"); });
    row("a target more", [](Json& json) { json["targets"]["2.k"] = json["targets"]["3.k"]; });
    row("target is a list", [](Json& json) { json["targets"]["3.k"] = Json::array(); });
    row("more nonzero rows than rows", [](Json& json) { json["targets"]["3.k"]["nonzero_rows"] = 101; });
    row("negative rows", [](Json& json) { json["targets"]["3.k"]["rows"] = -1; });
    row("numeric rank above the width", [](Json& json) { json["targets"]["3.k"]["numeric_rank"] = 13; });
    row("another numeric rank", [](Json& json) { json["targets"]["3.k"]["numeric_rank"] = 11; });
    row("another effective rank", [](Json& json) { json["targets"]["3.k"]["effective_rank"] = 5.5; });
    row("another stable rank", [](Json& json) { json["targets"]["3.k"]["stable_rank"] = 5.5; });
    row("overlap empty", [](Json& json) { json["targets"]["1.k"]["split_half_overlap"] = Json::array(); });
    row("overlap above 1", [](Json& json) { json["targets"]["1.k"]["split_half_overlap"][3] = 1.5; });
    row("overlap negative", [](Json& json) { json["targets"]["1.k"]["split_half_overlap"][3] = -0.5; });
    row("overlap null", [](Json& json) { json["targets"]["1.k"]["split_half_overlap"][3] = nullptr; });
    row("overlap shorter", [](Json& json) { json["targets"]["1.k"]["split_half_overlap"].erase(11); });
    row("examples an object", [](Json& json) { json["examples"] = Json::object(); });
    row("example id null", [](Json& json) { json["examples"][0]["id"] = nullptr; });
    row("example without targets", [](Json& json) { json["examples"][0]["targets"] = 0; });
    row("example loss a text", [](Json& json) { json["examples"][0]["loss"] = "1"; });
}

void TestSubspaceFolder::refusesAlteredJson() {
    QFETCH(std::function<void(Json&)>, alter);
    const test::TemporaryFolder folder(test::TemporaryFolder::On::memory);
    writeSubspaceFiles(folder.path(), test::randomSubspace({}));
    QVERIFY(!refusalOfReading(folder.path()));
    Json json = parseStrictJson(test::contentOf(folder / kSubspaceJson), "test", {});
    alter(json);
    folder.put(kSubspaceJson, json.dump());
    const auto refusal = refusalOfReading(folder.path());
    QVERIFY(refusal && refusal->kind == ErrorKind::file_format);
    QVERIFY2(refusal->isOneLine() && refusal->says("subspace."), refusal->message.c_str());
}

/// The JSON stays that of the sound subspace.
void TestSubspaceFolder::refusesAlteredTensors_data() {
    QTest::addColumn<std::function<void(Subspace&)>>("alter");
    using Alter = std::function<void(Subspace&)>;
    const auto row = [](const char* name, const std::function<void(Spectrum&)>& alter) {
        QTest::newRow(name) << Alter([alter](Subspace& subspace) {
            alter(subspace.targets.at({3, KvStream::k}).heads[0]);
        });
    };
    row("value NaN", [](Spectrum& s) { s.singular_values(4) = std::nan(""); });
    row("value infinite", [](Spectrum& s) { s.singular_values(0) = HUGE_VAL; });
    row("value negative", [](Spectrum& s) { s.singular_values(11) = -1e-9; });
    row("values ascend", [](Spectrum& s) { s.singular_values.reverseInPlace(); });
    row("another value", [](Spectrum& s) { s.singular_values(0) *= 1.001; });
    row("vector NaN", [](Spectrum& s) { s.right_singular_vectors(3, 3) = std::nan(""); });
    row("vector longer", [](Spectrum& s) { s.right_singular_vectors.row(7) *= 1.0001; });
    row("vector twice",
        [](Spectrum& s) { s.right_singular_vectors.row(7) = s.right_singular_vectors.row(2); });
    row("vectors exchanged",
        [](Spectrum& s) { s.right_singular_vectors.row(0).swap(s.right_singular_vectors.row(1)); });
    row("vectors zero", [](Spectrum& s) { s.right_singular_vectors.setZero(); });
    row("Gram matrix infinite", [](Spectrum& s) { s.gram(0, 0) = HUGE_VAL; });
    row("Gram matrix doubled", [](Spectrum& s) { s.gram *= 2; });
    row("Gram matrix not symmetric", [](Spectrum& s) { s.gram(0, 5) += 1e-3 * s.gram(0, 0); });
    row("narrower", [](Spectrum& s) {
        s.singular_values.conservativeResize(11);
        s.right_singular_vectors.conservativeResize(11, 11);
        s.gram.conservativeResize(11, 11);
    });
    QTest::newRow("target missing") << Alter([](Subspace& subspace) {
        subspace.targets.erase({1, KvStream::v});
    });
    QTest::newRow("target unknown") << Alter([](Subspace& subspace) {
        subspace.targets[{2, KvStream::v}] = subspace.targets.at({1, KvStream::v});
    });
    QTest::newRow("per head") << Alter([](Subspace& subspace) { subspace.per_head = true; });
}

void TestSubspaceFolder::refusesAlteredTensors() {
    QFETCH(std::function<void(Subspace&)>, alter);
    const test::TemporaryFolder folder(test::TemporaryFolder::On::memory);
    Subspace subspace = test::randomSubspace({});
    writeSubspaceFiles(folder.path(), subspace);
    alter(subspace);
    writeSubspaceTensors(folder / kSubspaceTensors, subspace);
    const auto refusal = refusalOfReading(folder.path());
    QVERIFY(refusal && refusal->kind == ErrorKind::file_format);
    QVERIFY2(refusal->isOneLine() && refusal->says("subspace.safetensors: tensor \""),
             refusal->message.c_str());
}

void TestSubspaceFolder::refusesOtherFiles() {
    const test::TemporaryFolder folder(test::TemporaryFolder::On::memory);
    const auto absent = refusalOfReading(folder / "none");
    QVERIFY(absent && absent->kind == ErrorKind::not_found);
    const auto empty = refusalOfReading(folder.path());
    QVERIFY(empty && empty->kind == ErrorKind::not_found && empty->says("subspace.json"));
    const Subspace subspace = test::randomSubspace({});
    writeSubspaceFiles(folder.path(), subspace);
    const std::string json = test::contentOf(folder / kSubspaceJson);
    for (const std::string& text :
         {std::string("[]"), std::string(), json.substr(0, json.size() / 2), json + json}) {
        folder.put(kSubspaceJson, text);
        const auto refusal = refusalOfReading(folder.path());
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine());
    }
    folder.put(kSubspaceJson, json);
    std::filesystem::remove(folder / kSubspaceTensors);
    const auto no_tensors = refusalOfReading(folder.path());
    QVERIFY(no_tensors && no_tensors->kind == ErrorKind::not_found);
    // float32 would halve the digits that the cut at r needs.
    std::vector<TensorInfo> tensors;
    for (const auto& [target, measured] : subspace.targets)
        for (const char* part : {"singular_values", "right_singular_vectors", "gram"}) {
            const std::string name = std::string("layers.") + std::to_string(target.layer) + "." +
                                     (target.stream == KvStream::k ? "k." : "v.") + part;
            const bool is_vector = name.ends_with("values");
            tensors.push_back({name, ElementType::f32,
                               is_vector ? std::vector<int64_t>{12} : std::vector<int64_t>{12, 12}});
        }
    SafetensorsWriter writer(folder / kSubspaceTensors, tensors);
    const std::vector<float> zeros(144);
    for (const TensorInfo& tensor : writer.order())
        writer.append(zeros.data(), tensor.shape.size() == 1 ? 48 : 576);
    writer.commit();
    const auto narrow = refusalOfReading(folder.path());
    QVERIFY(narrow && narrow->kind == ErrorKind::file_format && narrow->says("F32"));
}

QTEST_GUILESS_MAIN(TestSubspaceFolder)
#include "tst_subspace_folder.moc"
