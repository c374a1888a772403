// What is recorded comes back, in order and whole; who may write what; how a run is found, ended, deleted.

#include <QTest>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/store/metric_batch.h"
#include "core/store/run_store.h"
#include "tests/support/refusal.h"
#include "tests/support/store_run.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

bool equal(double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || a == b;
}

}  // namespace

class TestRunStore : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatIsRecordedComesBack() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder / "workspace");
        QVERIFY(store.notices().empty());
        const std::string run = beginRun(store, "spd");
        const std::vector<KeyValue> params = {
            {"z", "1"}, {"a", "caf\u00e9 \U0001F600\n'; DROP TABLE runs"}, {"m", ""}};
        store.setParams(run, {{"old", "x"}});
        store.setParams(run, params);
        const double infinity = std::numeric_limits<double>::infinity();
        const std::vector<Metric> metrics = {{"loss", 2, std::nan("")},
                                             {"loss", 1, 0.1},
                                             {"loss", 3, -infinity},
                                             {"rate", 9, 5e-324},
                                             {"rate", 8, 1.7976931348623157e308}};
        store.logMetrics(run, metrics);
        store.logMetrics(run, {{"loss", 1, 0.25}});
        store.setTag(run, {"good", ""});
        store.setTag(run, {"good", "yes"});
        store.setNote(run, "why\nso");
        store.addArtifacts(run, {{"corpus", store.workspace() / "a b.jsonl", std::string(64, 'a'), 5},
                                 {"adapter", "/elsewhere/adapter", std::string(64, 'b'), 0}});
        store.beginStage(run, "generate", "in");
        store.finishStage(run, {.name = "generate",
                                .status = StageStatus::skipped,
                                .input_sha256 = "in",
                                .output_sha256 = "out",
                                .seconds = 1.5});
        store.addEvalExamples(
            run, {{"gsm8k", "1", "4", "5", 0.0}, {"gsm8k", "x/2", "4", "", std::nullopt, "{\"a\":1}"}});
        store.addLineage(run, {{"corpus", "c", "adapter", "a"}, {"corpus", "c", "adapter", "a"}});
        store.endRun(run, RunStatus::failed, "no\nspace");

        const RunStore again = RunStore::open(folder / "workspace");
        const std::vector<RunRecord> runs = again.runs();
        QCOMPARE(runs.size(), size_t{1});
        QCOMPARE(runs[0].id, run);
        QCOMPARE(runs[0].name, std::string("spd-s42"));
        QCOMPARE(runs[0].method, std::string("spd"));
        QCOMPARE(runs[0].seed, std::optional<int64_t>(42));
        QVERIFY(runs[0].status == RunStatus::failed);
        QCOMPARE(runs[0].error, std::string("no\\x0aspace"));
        QCOMPARE(runs[0].note, std::string("why\nso"));
        QCOMPARE(runs[0].folder, again.workspace() / "experiments" / runs[0].experiment / "runs" / "spd-s42");
        QVERIFY(runs[0].end_ms.has_value() && runs[0].seconds > 0 && runs[0].starts == 1);
        QVERIFY(runs[0].sqlite.starts_with("3.") && runs[0].program.starts_with("spd "));
        const std::vector<KeyValue> found = again.params(run);
        QCOMPARE(found.size(), params.size());
        for (size_t i = 0; i < found.size(); ++i)
            QVERIFY(found[i].key == params[i].key && found[i].value == params[i].value);
        const std::vector<Metric> loss = again.metrics(run, "loss");
        QCOMPARE(loss.size(), size_t{3});
        QVERIFY(equal(loss[0].value, 0.25) && equal(loss[1].value, std::nan("")) &&
                equal(loss[2].value, -infinity));
        QVERIFY(loss[0].timestamp_ms > 1'600'000'000'000);
        const std::vector<Metric> last = again.finalMetrics(run);
        QCOMPARE(last.size(), size_t{2});
        QVERIFY(last[0].step == 3 && last[1].step == 9 && last[1].value == 5e-324);
        QCOMPARE(again.tags(run).size(), size_t{1});
        QCOMPARE(again.tags(run)[0].value, std::string("yes"));
        QCOMPARE(again.artifacts(run)[0].path, again.workspace() / "a b.jsonl");
        QCOMPARE(again.artifacts(run)[1].path, fs::path("/elsewhere/adapter"));
        QVERIFY(again.stages(run)[0].status == StageStatus::skipped && again.stages(run)[0].seconds == 1.5);
        const std::vector<EvalExample> examples = again.evalExamples(run, "gsm8k");
        QVERIFY(examples.size() == 2 && examples[0].score == 0.0 && !examples[1].score &&
                examples[1].details == "{\"a\":1}");
        QCOMPARE(again.lineage(run).size(), size_t{1});
        QVERIFY(again.checkIntegrity().empty());
    }

    void aWorkspaceThatIsMovedKeepsItsPaths() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        std::string run;
        {
            RunStore store = RunStore::open(folder / "old");
            run = beginRun(store, "psr");
            store.addArtifacts(run, {{"corpus", store.workspace() / "x.jsonl", "", 1}});
            store.endRun(run, RunStatus::finished);
        }
        fs::rename(folder / "old", folder / "new");
        const RunStore store = RunStore::open(folder / "new");
        QVERIFY(fs::is_directory(store.findRun(run).folder));
        QCOMPARE(store.artifacts(run)[0].path, store.workspace() / "x.jsonl");
    }

    void theSameExperimentAndRunAreTheSameRows() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        const ExperimentRecord first = store.beginExperiment("a b/\u00e9", "x = 1");
        QVERIFY(first.id.starts_with("a-b----") && first.id.size() == 7 + 9 - 1);
        QCOMPARE(store.beginExperiment("a b/\u00e9", "x = 1").id, first.id);
        QVERIFY(store.beginExperiment("a b/\u00e9", "x = 2").id != first.id);
        const std::string run = beginRun(store, "spd");
        store.logMetrics(run, {{"loss", 1, 4}});
        store.endRun(run, RunStatus::killed);
        QCOMPARE(beginRun(store, "spd"), run);
        QVERIFY(store.findRun(run).status == RunStatus::running && store.findRun(run).starts == 2);
        QCOMPARE(store.metrics(run, "loss").size(), size_t{1});
        QVERIFY(beginRun(store, "spd", 43) != run);
        QVERIFY(beginRun(store, "spd", 42, "n=20") != run);
        QCOMPARE(store.runs().size(), size_t{3});
        QCOMPARE(store.experiments().size(), size_t{3});
    }

    void oneProcessAtARun() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        const std::string run = beginRun(store, "spd");
        const auto twice = refusalOf([&] { beginRun(store, "spd"); });
        QVERIFY(twice && twice->kind == ErrorKind::invalid_argument && twice->isOneLine() &&
                twice->says("another process is at this run"));
        QVERIFY(store.findRun(run).status == RunStatus::running);
        const RunStore other = RunStore::open(folder.path());
        QVERIFY(other.findRun(run).status == RunStatus::running);
    }

    void aRunWhoseHolderIsGoneIsKilled() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const RunStore watcher = RunStore::open(folder.path());
        std::string run;
        {
            RunStore store = RunStore::open(folder.path());
            run = beginRun(store, "spd");
            QVERIFY(watcher.findRun(run).status == RunStatus::running);
        }
        QVERIFY(watcher.findRun(run).status == RunStatus::killed);
        QCOMPARE(*watcher.query("SELECT status FROM runs").rows[0][0], std::string("RUNNING"));
        const RunStore again = RunStore::open(folder.path());  // writes it down
        QCOMPARE(*again.query("SELECT status FROM runs").rows[0][0], std::string("KILLED"));
    }

    void runsAreFoundByTheirBeginning() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        const std::string spd = beginRun(store, "spd");
        const std::string psr = beginRun(store, "psr");
        QCOMPARE(store.findRun(spd).id, spd);
        QCOMPARE(store.findRun(spd.substr(0, 10)).id, spd);
        QCOMPARE(store.findRun("psr").id, psr);
        QCOMPARE(store.findRun(store.findRun(psr).experiment + "/psr-s42").id, psr);
        beginRun(store, "spd", 421);
        QCOMPARE(store.findRun("spd-s42").id, spd);  // the whole name wins
        const auto several = refusalOf([&] { store.findRun("spd"); });
        QVERIFY(several && several->kind == ErrorKind::invalid_argument && several->says("2 runs") &&
                several->says(spd));
        for (const std::string text : {"", "nosuch", "\x1b[31m"}) {
            const auto none = refusalOf([&] { store.findRun(text); });
            QVERIFY(none && none->kind == ErrorKind::not_found && none->isOneLine());
        }
    }

    void textsThatAreNoTextsAreRefused() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        const std::string run = beginRun(store, "spd");
        for (const std::string& bad :
             {std::string("\xff"), std::string("a\0b", 3), std::string("\xed\xa0\x80")}) {
            for (const auto& action :
                 std::vector<std::function<void()>>{[&] { store.setNote(run, bad); },
                                                    [&] {
                                                        store.setTag(run, {bad, ""});
                                                    },
                                                    [&] {
                                                        store.setTag(run, {"k", bad});
                                                    },
                                                    [&] {
                                                        store.setParams(run, {{"k", bad}});
                                                    },
                                                    [&] {
                                                        store.logMetrics(run, {{bad, 1, 1}});
                                                    },
                                                    [&] { store.beginExperiment(bad, ""); }}) {
                const auto refusal = refusalOf(action);
                QVERIFY(refusal && refusal->kind == ErrorKind::invalid_argument && refusal->isOneLine());
            }
        }
        QVERIFY(store.params(run).empty() && store.tags(run).empty());
        for (const auto& action : std::vector<std::function<void()>>{
                 [&] { store.setNote("nosuch", "x"); }, [&] { store.params("nosuch"); },
                 [&] {
                     store.finishStage(run, {"nosuch", StageStatus::finished, "", ""});
                 }}) {
            const auto refusal = refusalOf(action);
            QVERIFY(refusal && refusal->kind == ErrorKind::not_found);
        }
    }

    void metricsAreLoggedOnceASecond() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        const std::string run = beginRun(store, "spd");
        MetricBatch batch(store, run);
        for (int step = 1; step <= 100; ++step)
            batch.add({"loss", step, 1.0 / step});
        QCOMPARE(store.metrics(run, "loss").size(), size_t{1});
        batch.flush();
        QCOMPARE(store.metrics(run, "loss").size(), size_t{100});
    }

    void deletedRunsGoToTheTrashAndComeBack() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        const std::string first = beginRun(store, "spd");
        const std::string second = beginRun(store, "psr");
        const fs::path shared = store.findRun(first).folder.parent_path().parent_path() / "shared";
        const auto put = [](const fs::path& path) {
            fs::create_directories(path.parent_path());
            std::ofstream(path) << "x";
        };
        for (const std::string name : {"common", "own"})
            put(shared / name / "subspace.json");
        put(store.findRun(first).folder / "corpus.jsonl");
        store.addArtifacts(first, {{"subspace", shared / "common/subspace.json", "", 1},
                                   {"subspace", shared / "own/subspace.json", "", 1}});
        store.addArtifacts(second, {{"subspace", shared / "common/subspace.json", "", 1}});
        const auto running = refusalOf([&] { store.deleteRun(first); });
        QVERIFY(running && running->says("is running"));
        store.endRun(first, RunStatus::finished);

        const fs::path trash = store.deleteRun(first);
        QCOMPARE(trash, store.workspace() / "trash" / first);
        QVERIFY(fs::exists(trash / "spd-s42/corpus.jsonl") && fs::exists(trash / "shared/own/subspace.json"));
        QVERIFY(fs::exists(shared / "common/subspace.json") && !fs::exists(shared / "own"));
        QCOMPARE(store.runs().size(), size_t{1});
        QCOMPARE(store.runs("", true).size(), size_t{2});
        QCOMPARE(store.findRun(first).trash, trash);
        const auto twice = refusalOf([&] { store.deleteRun(first); });
        QVERIFY(twice && twice->says("deleted already"));

        fs::rename(trash / "spd-s42", store.findRun(first).folder);
        QCOMPARE(store.runs().size(), size_t{2});
        const RunStore again = RunStore::open(folder.path());
        QVERIFY(!again.findRun(first).deleted_ms);
        QVERIFY(!fs::exists(again.findRun(first).folder / "spd_deleted.json"));
    }

    void aDeletedRunMadeAnewIsAnother() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        const std::string first = beginRun(store, "spd");
        store.endRun(first, RunStatus::finished);
        store.deleteRun(first);
        const std::string second = beginRun(store, "spd");
        QVERIFY(second != first);
        QCOMPARE(store.runs().size(), size_t{1});
        store.endRun(second, RunStatus::finished);
        QCOMPARE(store.deleteRun(second), store.workspace() / "trash" / second);
    }

    void queriesOnlyRead() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        beginRun(store, "spd");
        const QueryResult result =
            store.query("SELECT method, seed, 0.1, NULL, x'00ff', 'a''b' FROM runs; -- the end");
        QCOMPARE(result.columns.size(), size_t{6});
        QVERIFY(result.rows.size() == 1 && !result.cut);
        QCOMPARE(std::string(result.types[0].begin(), result.types[0].end()), std::string("tirnbt"));
        QCOMPARE(*result.rows[0][2], std::string("0.1"));
        QVERIFY(!result.rows[0][3] && *result.rows[0][4] == "00ff" && *result.rows[0][5] == "a'b");
        const std::string before = contentOf(folder / "spd.sqlite");
        for (const std::string sql : {"",
                                      ";",
                                      "-- nothing",
                                      "SELECT",
                                      "SELECT nosuch FROM runs",
                                      "SELECT 1; SELECT 2",
                                      "SELECT ?1",
                                      "DELETE FROM runs",
                                      "DROP TABLE runs",
                                      "UPDATE runs SET note = 'x'",
                                      "INSERT INTO tags VALUES (1,2,3)",
                                      "PRAGMA user_version = 9",
                                      "PRAGMA query_only = 0",
                                      "ATTACH '/tmp/x' AS x",
                                      "VACUUM",
                                      "BEGIN",
                                      "CREATE TEMP TABLE t (a)",
                                      "SELECT load_extension('x')",
                                      "SELECT zeroblob(100000000)",
                                      "VACUUM INTO '/tmp/x'",
                                      "WITH x AS (SELECT 1) DELETE FROM runs",
                                      "SELECT * FROM pragma_table_info('runs')",
                                      "SELECT writefile('/tmp/x', 'x')",
                                      "SELECT fts3_tokenizer('x')",
                                      "SELECT '\xff'"}) {
            const auto refusal = refusalOf([&] { store.query(sql); });
            QVERIFY2(refusal && refusal->kind == ErrorKind::invalid_argument && refusal->isOneLine(),
                     sql.c_str());
        }
        const auto slow = refusalOf([&] {
            store.query(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n",
                {.seconds = 0.2});
        });
        QVERIFY(slow && slow->says("took more than 0.2 s"));
        const std::string many =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n";
        const QueryResult cut = store.query(many, {.rows = 100});
        QVERIFY(cut.cut && cut.rows.size() == 100);
        const auto large = refusalOf([&] {
            store.query(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT zeroblob(1000000) FROM "
                "n",
                {.bytes = 8 << 20});
        });
        QVERIFY(large && large->says("larger than 8 MiB"));
        QCOMPARE(contentOf(folder / "spd.sqlite"), before);
    }

    void importedFoldersAreAdoptedOnce() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder / "workspace");
        fs::create_directories(folder / "mine");
        RunStore::ImportedRun made;
        made.run = {.experiment = "imported",
                    .method = "generate",
                    .seed = std::nullopt,
                    .point = "",
                    .folder = folder / "mine"};
        made.params = {{"a", "1"}, {"b", "2"}};
        made.metrics = {{"loss", 1, 2}};
        const std::string run = store.importRun(made);
        store.setTag(run, {"kept", ""});
        made.params = {{"a", "3"}};
        QCOMPARE(store.importRun(made), run);
        QCOMPARE(store.params(run).size(), size_t{1});
        QCOMPARE(store.tags(run).size(), size_t{1});
        QVERIFY(store.findRun(run).imported && store.findRun(run).status == RunStatus::finished);
        QCOMPARE(store.deleteRun(run), fs::path());
        QVERIFY(fs::exists(folder / "mine") && store.runs().empty());
        QCOMPARE(store.importRun(made), run);
        QCOMPARE(store.runs().size(), size_t{1});
        const std::string own = beginRun(store, "spd");
        made.run.folder = store.findRun(own).folder;
        const auto refusal = refusalOf([&] { store.importRun(made); });
        QVERIFY(refusal && refusal->says("is the folder of run " + own));
    }

    /// Wall clocks are set, backwards too: order is told by sequence numbers, how long by a steady clock.
    void orderIsNotToldByTheClock() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        RunStore store = RunStore::open(folder.path());
        std::vector<std::string> made;
        for (int64_t seed = 0; seed < 5; ++seed)
            made.push_back(beginRun(store, "spd", seed));
        store.logMetrics(made[0],
                         {{"loss", 1, 1, 9'000'000'000'000}, {"loss", 2, 2, 1}, {"loss", 3, 3, 5'000}});
        const std::vector<Metric> loss = store.metrics(made[0], "loss");
        for (size_t i = 0; i < 3; ++i)
            QCOMPARE(loss[i].step, static_cast<int64_t>(i) + 1);
        QCOMPARE(store.finalMetrics(made[0])[0].value, 3.0);
        for (size_t i = 0; i < made.size(); ++i)
            QCOMPARE(store.runs()[i].id, made[i]);
    }
};

QTEST_GUILESS_MAIN(TestRunStore)
#include "tst_run_store.moc"
