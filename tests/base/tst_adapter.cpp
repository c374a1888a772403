// Adapters of peft: what is read is what the files say, what is written is read again, and what does not fit
// or is something else is refused by name.

#include <QTest>
#include <cmath>
#include <cstdio>

#include "core/base/atomic_folder.h"
#include "core/base/strict_json.h"
#include "core/io/adapter_writer.h"
#include "tests/support/hostile_adapters.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

bool sameModule(const LoraModule& left, const LoraModule& right) {
    return left.layer == right.layer && left.linear == right.linear && left.r == right.r &&
           left.scale == right.scale && left.a == right.a && left.b == right.b;
}

const LoraModule& moduleOf(const LoraAdapter& adapter, int64_t layer, AttentionLinear linear) {
    for (const LoraModule& module : adapter.modules)
        if (module.layer == layer && module.linear == linear)
            return module;
    throw std::out_of_range("no such module");
}

/// r 2 on q_proj of layer 0 and another rank and scale on o_proj of layer 1.
LoraAdapter unevenAdapter() {
    const ModelConfig config = adaptedModel();
    LoraAdapter adapter;
    adapter.r = 2;
    adapter.lora_alpha = 3;
    adapter.lora_dropout = 0.125;
    adapter.base_model_name_or_path = "org/base";
    adapter.revision = "0123abcd";
    for (const AttentionLinear linear : {AttentionLinear::q, AttentionLinear::o}) {
        const bool is_o = linear == AttentionLinear::o;
        const int64_t r = is_o ? 5 : 2;
        LoraModule module = {is_o ? 1 : 0, linear, r, is_o ? 0.7 : 1.5, {}, {}};
        for (int64_t i = 0; i < r * inWidth(config, linear); ++i)
            module.a.push_back(std::sin(static_cast<float>(i)));
        for (int64_t i = 0; i < r * outWidth(config, linear); ++i)
            module.b.push_back(1e-30f * std::cos(static_cast<float>(i)));
        adapter.modules.push_back(module);
    }
    return adapter;
}

}  // namespace

class TestAdapter : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWhatTheFilesSay();
    void readsEveryStoredType_data();
    void readsEveryStoredType();
    void takesRanksAndScalesAsPeftDoes();
    void takesTargetsAsPeftDoes();
    void refusesWhatDoesNotFit();
    void writesWhatItReads();
    void writesTheSameBytesAgain();
    void namesTheBaseModelForOtherMachines();
    void refusesToWriteWhatIsNoAdapter();
};

void TestAdapter::readsWhatTheFilesSay() {
    const TemporaryFolder folder;
    plannedAdapter().write(folder / "a");
    const LoraAdapter adapter = readAdapter(folder / "a", adaptedModel());
    QCOMPARE(adapter.r, 2);
    QCOMPARE(adapter.lora_alpha, 4.0);
    QCOMPARE(adapter.lora_dropout, 0.25);
    QCOMPARE(adapter.base_model_name_or_path, std::string("org/base"));
    QCOMPARE(adapter.revision, std::string("0123abcd"));
    QCOMPARE(adapter.modules.size(), size_t{4});
    float first = 0;
    for (const LoraModule& module : adapter.modules) {
        QCOMPARE(module.scale, 2.0);
        const bool is_q = module.linear == AttentionLinear::q;
        QCOMPARE(module.a.size(), size_t{16});
        QCOMPARE(module.b.size(), is_q ? size_t{32} : size_t{16});
        for (const std::vector<float>* values : {&module.a, &module.b}) {
            ++first;
            for (size_t i = 0; i < values->size(); ++i)
                QCOMPARE((*values)[i], first + static_cast<float>(i) / 64);
        }
    }
    QVERIFY(adapter.modules[1].layer == 0 && adapter.modules[1].linear == AttentionLinear::v);
    QVERIFY(adapter.modules[2].layer == 1 && adapter.modules[2].linear == AttentionLinear::q);
}

void TestAdapter::readsEveryStoredType_data() {
    QTest::addColumn<QString>("type");
    for (const char* type : {"F32", "F16", "BF16"})
        QTest::newRow(type) << type;
}

/// 0.5, -1.25, 3, 2^-10: exact in all of them.
void TestAdapter::readsEveryStoredType() {
    QFETCH(QString, type);
    const TemporaryFolder folder;
    PlannedAdapter planned = plannedAdapter();
    std::vector<float> values(16);
    for (size_t i = 0; i < values.size(); ++i)
        values[i] = std::vector<float>{0.5f, -1.25f, 3.0f, 0x1p-10f}[i % 4];
    for (PlannedTensor& tensor : planned.tensors)
        if (tensor.shape == std::vector<int64_t>{2, 8})
            tensor = plannedTensor(tensor.name, type.toStdString(), tensor.shape, values);
    planned.write(folder / "a");
    for (const LoraModule& module : readAdapter(folder / "a", adaptedModel()).modules)
        QCOMPARE(module.a, values);
}

/// rsLoRA divides by the root of the module's own rank; the first pattern that fits a module counts.
void TestAdapter::takesRanksAndScalesAsPeftDoes() {
    const TemporaryFolder folder;
    PlannedAdapter planned = plannedAdapter();
    planned.config["rank_pattern"] = {{"1.self_attn.v_proj", 4}};
    planned.config["alpha_pattern"] = {{"^model.layers.0.self_attn.q_proj", 6}, {"q_proj", 1}};
    planned.a("1.v_proj") = countingTensor(planned.a("1.v_proj").name, {4, 8}, 0);
    planned.b("1.v_proj") = countingTensor(planned.b("1.v_proj").name, {8, 4}, 0);
    planned.write(folder / "plain");
    planned.config["use_rslora"] = true;
    planned.write(folder / "rslora");
    const LoraAdapter plain = readAdapter(folder / "plain", adaptedModel());
    const LoraAdapter rslora = readAdapter(folder / "rslora", adaptedModel());
    struct Expected {
        int64_t layer;
        AttentionLinear linear;
        int64_t r;
        double alpha;
    };
    for (const auto& [layer, linear, r, alpha] :
         {Expected{0, AttentionLinear::q, 2, 6}, Expected{0, AttentionLinear::v, 2, 4},
          Expected{1, AttentionLinear::q, 2, 1}, Expected{1, AttentionLinear::v, 4, 4}}) {
        QCOMPARE(moduleOf(plain, layer, linear).r, r);
        QCOMPARE(moduleOf(plain, layer, linear).scale, alpha / static_cast<double>(r));
        QCOMPARE(moduleOf(rslora, layer, linear).scale, alpha / std::sqrt(static_cast<double>(r)));
    }
    QCOMPARE(plain.lora_alpha, 4.0);
    QCOMPARE(rslora.lora_alpha / 2, 4 / std::sqrt(2.0));
}

void TestAdapter::takesTargetsAsPeftDoes() {
    const TemporaryFolder folder;
    PlannedAdapter planned = plannedAdapter();
    std::erase_if(planned.tensors,
                  [](const PlannedTensor& t) { return t.name.find("layers.0") != std::string::npos; });
    planned.config["layers_to_transform"] = 1;
    planned.write(folder / "one layer");
    QCOMPARE(readAdapter(folder / "one layer", adaptedModel()).modules.size(), size_t{2});
    planned.config["layers_to_transform"] = nullptr;
    planned.config["target_modules"] = {"layers.1.self_attn.q_proj", "model.layers.1.self_attn.v_proj"};
    planned.write(folder / "paths");
    QCOMPARE(readAdapter(folder / "paths", adaptedModel()).modules.size(), size_t{2});
}

void TestAdapter::refusesWhatDoesNotFit() {
    size_t count = 0;
    double slowest = 0;
    for (const AdapterCase& bad : adaptersToRefuse()) {
        const TemporaryFolder folder;
        PlannedAdapter planned = plannedAdapter();
        bad.change(planned);
        planned.write(folder / "a");
        if (bad.change_folder)
            bad.change_folder(folder / "a");
        const auto refusal = refusalOf([&] { (void)readAdapter(folder / "a", adaptedModel()); });
        QVERIFY2(refusal, bad.what.c_str());
        const std::string shown = bad.what + ": " + refusal->message;
        QVERIFY2(refusal->kind == bad.kind, shown.c_str());
        QVERIFY2(refusal->says(bad.says) && refusal->isOneLine(), shown.c_str());
        QVERIFY2(refusal->says(folder.path()), shown.c_str());
        QVERIFY2(refusal->seconds < most_seconds, shown.c_str());
        slowest = std::max(slowest, refusal->seconds);
        ++count;
    }
    std::printf("measured: %zu adapters refused, each in at most %.1f ms\n", count, 1000 * slowest);
}

void TestAdapter::writesWhatItReads() {
    const TemporaryFolder folder;
    const LoraAdapter adapter = unevenAdapter();
    writeAdapterFiles(folder.path(), adapter, adaptedModel(), {{"stage", "test"}});
    const LoraAdapter again = readAdapter(folder.path(), adaptedModel());
    QCOMPARE(again.r, adapter.r);
    QCOMPARE(again.lora_alpha, adapter.lora_alpha);
    QCOMPARE(again.lora_dropout, adapter.lora_dropout);
    QCOMPARE(again.base_model_name_or_path, adapter.base_model_name_or_path);
    QCOMPARE(again.revision, adapter.revision);
    QCOMPARE(again.modules.size(), adapter.modules.size());
    for (size_t i = 0; i < adapter.modules.size(); ++i)
        QVERIFY(sameModule(again.modules[i], adapter.modules[i]));
    const Json config = Json::parse(contentOf(folder / "adapter_config.json"));
    QCOMPARE(config["rank_pattern"].dump(), std::string(R"({"model.layers.1.self_attn.o_proj":5})"));
    QCOMPARE(config["alpha_pattern"].dump(), std::string(R"({"model.layers.1.self_attn.o_proj":3.5})"));
    QVERIFY(contentOf(folder / "README.md").find("library_name: peft") != std::string::npos);
}

/// Nothing in the files depends on when or where they were written.
void TestAdapter::writesTheSameBytesAgain() {
    const TemporaryFolder folder;
    for (const char* name : {"one", "two"}) {
        AtomicFolder out(folder / name);
        writeAdapterFiles(out.path(), unevenAdapter(), adaptedModel(), {{"stage", "test"}});
        out.commit();
    }
    int files = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder / "one")) {
        QCOMPARE(contentOf(entry.path()), contentOf(folder / "two" / entry.path().filename()));
        ++files;
    }
    QCOMPARE(files, 4);
}

void TestAdapter::namesTheBaseModelForOtherMachines() {
    LoraAdapter adapter;
    nameBaseModel(adapter, {"/cache/x", "org/name", "0123abcd"});
    QCOMPARE(adapter.base_model_name_or_path, std::string("org/name"));
    QCOMPARE(adapter.revision, std::string("0123abcd"));
    for (const char* id : {"/home/me/models/tiny", "/home/me/models/tiny/", "tiny", "models/tiny"}) {
        nameBaseModel(adapter, {"/anywhere", id, ""});
        QCOMPARE(adapter.base_model_name_or_path, std::string("tiny"));
        QVERIFY(adapter.revision.empty());
    }
}

void TestAdapter::refusesToWriteWhatIsNoAdapter() {
    const TemporaryFolder folder;
    const auto refused = [&](auto change) {
        LoraAdapter adapter = unevenAdapter();
        change(adapter.modules);
        const auto refusal =
            refusalOf([&] { writeAdapterFiles(folder.path(), adapter, adaptedModel(), Json::object()); });
        return refusal && refusal->kind == ErrorKind::internal && fs::is_empty(folder.path());
    };
    using Modules = std::vector<LoraModule>;
    QVERIFY(refused([](Modules& modules) { modules.clear(); }));
    QVERIFY(refused([](Modules& modules) { modules[0].layer = 2; }));
    QVERIFY(refused([](Modules& modules) { modules.push_back(modules[0]); }));
    QVERIFY(refused([](Modules& modules) { modules[1].b.pop_back(); }));
    QVERIFY(refused([](Modules& modules) { modules[1].scale = 0; }));
    QVERIFY(refused([](Modules& modules) { modules[1].scale = NAN; }));
}

QTEST_GUILESS_MAIN(TestAdapter)
#include "tst_adapter.moc"
