// What the comparisons of an export let pass and what they refuse: files that are read again as they were,
// and files that were written wrong.

#include <QTest>
#include <algorithm>
#include <cstdio>

#include "core/base/files.h"
#include "core/export/hook/hook_files.h"
#include "core/export/logit_check.h"
#include "tests/support/interventions.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_checkpoint.h"

using namespace spd;
using namespace spd::test;

class TestExportChecks : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void wrongMapsDiffer_data();
    void wrongMapsDiffer();
    void wrongAdapterDiffers();
    void changedFilesAreRefused();
    void cleanupTestCase();

private:
    /// The two files of a hook in folder_, read again.
    Projection writtenAndRead(const Projection& projection);
    bool isRefused(const Intervention& before, const Intervention& after);

    TemporaryFolder folder_;
    ModelConfig config_ = tinyConfig(ModelFamily::qwen3);
    std::optional<CheckModel> model_;
    std::string text_;
    std::filesystem::path matrices_;
    double most_passed_ = 0;
    double least_refused_ = 1e9;
};

void TestExportChecks::initTestCase() {
    writeTinyCheckpoint(folder_.path() / "model", config_, 1);
    std::string why_not;
    model_ = openCheckModel(folder_.path() / "model", true, why_not, {});
    QVERIFY(model_ && model_->dtype == DType::float32);
}

Projection TestExportChecks::writtenAndRead(const Projection& projection) {
    const std::filesystem::path out = folder_.path() / "hook.py";
    const HookMaps maps = hookMapsOf(projection);
    matrices_ = hookMatrices(out, maps);
    writeHookMaps(matrices_, maps);
    text_ = hookText(out, matrices_, projection, {});
    return readHook(text_, folder_.path());
}

bool TestExportChecks::isRefused(const Intervention& before, const Intervention& after) {
    const LogitCheck check = compareLogits(*model_, before, after, {});
    const auto refusal = refusalOf([&] { requireSameLogits(check, "these differ from those"); });
    if (refusal)
        least_refused_ = std::min(least_refused_, check.difference);
    else
        most_passed_ = std::max(most_passed_, check.difference);
    return refusal && refusal->kind == ErrorKind::internal && refusal->says("these differ from those");
}

void TestExportChecks::wrongMapsDiffer_data() {
    QTest::addColumn<int>("site");
    QTest::addColumn<int>("when");
    for (const KvSite site : {KvSite::proj, KvSite::post_norm, KvSite::post_rope})
        for (const ProjectWhen when : {ProjectWhen::all, ProjectWhen::decode_only, ProjectWhen::prefill_only})
            QTest::addRow("%s, %d", name(site).data(), static_cast<int>(when))
                << static_cast<int>(site) << static_cast<int>(when);
}

void TestExportChecks::wrongMapsDiffer() {
    QFETCH(int, site);
    QFETCH(int, when);
    ProjectionPlan plan;
    plan.site = static_cast<KvSite>(site);
    plan.when = static_cast<ProjectWhen>(when);
    plan.apply = plan.site == KvSite::proj ? ProjectApply::folded : ProjectApply::activation;
    Projection projection = randomProjection(config_, plan);
    projection.record = {{"when", plan.when == ProjectWhen::all           ? "all"
                                  : plan.when == ProjectWhen::decode_only ? "decode_only"
                                                                          : "prefill_only"}};
    const Projection read = writtenAndRead(projection);
    const Intervention before = {projection, {}};
    QVERIFY(!isRefused(before, {read, {}}));

    Projection other_when = read;
    other_when.when = plan.when == ProjectWhen::all ? ProjectWhen::decode_only : ProjectWhen::all;
    QVERIFY(isRefused(before, {other_when, {}}));
    Projection other_site = read;
    other_site.site = plan.site == KvSite::proj ? KvSite::post_rope : KvSite::proj;
    QVERIFY(isRefused(before, {other_site, {}}));
    Projection other_map = read;
    Eigen::MatrixXd& map = other_map.maps.begin()->second.map;
    map.row(0).swap(map.row(1));
    QVERIFY(isRefused(before, {other_map, {}}));
    Projection one_less = read;
    one_less.maps.erase(one_less.maps.begin());
    QVERIFY(isRefused(before, {one_less, {}}));
}

void TestExportChecks::wrongAdapterDiffers() {
    const LoraAdapter adapter = randomAdapter(config_, 1);
    QCOMPARE(compareLogits(*model_, {{}, adapter}, {{}, adapter}, {}).difference, 0.0);
    LoraAdapter scaled = adapter;
    scaled.modules.front().scale *= 1.1;
    QVERIFY(isRefused({{}, adapter}, {{}, scaled}));
    LoraAdapter one_less = adapter;
    one_less.modules.pop_back();
    QVERIFY(isRefused({{}, adapter}, {{}, one_less}));
}

void TestExportChecks::changedFilesAreRefused() {
    Projection projection = randomProjection(config_, {});
    projection.record = {{"when", "all"}};
    writtenAndRead(projection);
    for (const char* line : {"SITE", "WHEN", "MATRICES", "SHA256"}) {
        std::string text = text_;
        text.replace(text.find(std::string("\n") + line), 3, "\nX_");
        const auto refusal = refusalOf([&] { readHook(text, folder_.path()); });
        QVERIFY(refusal && refusal->kind == ErrorKind::internal && refusal->isOneLine());
    }
    std::string bytes = readFile(matrices_, size_t{1} << 24);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    writeFileAtomically(matrices_, bytes);
    const auto refusal = refusalOf([&] { readHook(text_, folder_.path()); });
    QVERIFY(refusal && refusal->says("another hash"));
}

void TestExportChecks::cleanupTestCase() {
    std::printf(
        "measured: logits with exported maps read again differ by %.2g of the largest; with a wrong map, "
        "site or position, or another adapter by %.2g at least\n",
        most_passed_, least_refused_);
}

QTEST_GUILESS_MAIN(TestExportChecks)
#include "tst_export_checks.moc"
