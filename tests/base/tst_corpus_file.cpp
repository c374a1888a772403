// CorpusWriter: what lies on the disk at each stage, what another command is told, what a foreign file gets.

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <set>

#include "core/base/error.h"
#include "tests/support/corpus_job.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace {

struct Refusal {
    std::string message = "accepted";
    int exit_code = 0;
};

template <typename Function>
Refusal refusal(const Function& function) {
    try {
        function();
    } catch (const Error& error) {
        return {error.what(), error.exitCode()};
    }
    return {};
}

std::set<std::string> filesIn(const fs::path& folder) {
    std::set<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        names.insert(entry.path().filename().native());
    return names;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const std::set<std::string> kFinished = {"x.jsonl", "x.meta.json"};
const std::set<std::string> kBegun = {"x.meta.json", "x.partial.jsonl"};

}  // namespace

class TestCorpusFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void filesAtEachStage() {
        const TemporaryFolder folder;
        const CorpusJob job(7);
        {
            CorpusWriter writer = CorpusWriter::open(folder / "x.jsonl", job.meta(), job.ids(), false);
            QCOMPARE(filesIn(folder.path()), std::set<std::string>{".x.lock"});
            QVERIFY(!writer.complete() && writer.doneCount() == 0 && !writer.isDone(3));
            writer.append(3, job.record(3));
            QCOMPARE(contentOf(folder / "x.partial.jsonl"), toJsonLine(job.record(3)) + "\n");
            auto meta = nlohmann::ordered_json::parse(contentOf(folder / "x.meta.json"));
            QCOMPARE(meta.at("prompt_ids_sha256").get<std::string>().size(), size_t{64});
            meta.erase("prompt_ids_sha256");
            QVERIFY(meta == job.meta());
            QVERIFY(writer.isDone(3) && !writer.isDone(2) && writer.doneCount() == 1);
            CorpusWriter moved = std::move(writer);
            moved.append(0, job.record(0));
        }
        QCOMPARE(filesIn(folder.path()), kBegun);
        QCOMPARE(job.run(folder / "x.jsonl", 1), 5);
        QCOMPARE(filesIn(folder.path()), kFinished);
        QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        struct stat status = {};
        QCOMPARE(::stat((folder / "x.jsonl").c_str(), &status), 0);
        QCOMPARE(status.st_mode & 0777u, 0644u);
    }

    /// Statistics are what came out, not what made it: they neither hinder the same command nor help another.
    void statisticsBesideTheSettings() {
        const TemporaryFolder folder;
        const CorpusJob job(5);
        const std::string out = folder / "x.jsonl";
        job.run(out, 1);
        const std::string plain = contentOf(folder / "x.meta.json");
        {
            CorpusWriter writer = CorpusWriter::open(out, job.meta(), job.ids(), false);
            QVERIFY(writer.complete());
            writer.recordStatistics({{"empty", 3}});
        }
        auto meta = nlohmann::ordered_json::parse(contentOf(folder / "x.meta.json"));
        QCOMPARE(meta.at("statistics").dump(), R"({"empty":3})"s);
        meta.erase("statistics");
        QCOMPARE(meta.dump(2) + "\n", plain);
        QVERIFY(CorpusWriter::open(out, job.meta(), job.ids(), false).complete());
        const CorpusJob other(5, 1.5);
        QVERIFY_EXCEPTION_THROWN(CorpusWriter::open(out, other.meta(), other.ids(), false), Error);
        // Begun anew: the statistics of what was there are gone with the first record.
        CorpusWriter writer = CorpusWriter::open(out, other.meta(), other.ids(), true);
        QVERIFY_EXCEPTION_THROWN(writer.recordStatistics({{"empty", 3}}), Error);
        writer.append(0, other.record(0));
        QVERIFY(contentOf(folder / "x.meta.json").find("statistics") == std::string::npos);
        QCOMPARE(filesIn(folder.path()).count("x.partial.jsonl"), size_t{1});
    }

    void theOrderOfCompletionLeavesNoTrace() {
        const CorpusJob job(20);
        for (uint32_t seed = 0; seed < 20; ++seed) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            job.run(folder / "x.jsonl", seed, false, static_cast<int>(seed));
            job.run(folder / "x.jsonl", seed + 100);
            QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        }
    }

    void aFinishedFileIsLeftAlone() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const CorpusJob job(4);
        job.run(folder / "x.jsonl", 1);
        const auto time = fs::last_write_time(folder / "x.jsonl");
        CorpusWriter writer = CorpusWriter::open(folder / "x.jsonl", job.meta(), job.ids(), false);
        QVERIFY(writer.complete() && writer.doneCount() == 4 && writer.isDone(0));
        writer.finish();
        QVERIFY(fs::last_write_time(folder / "x.jsonl") == time);
    }

    void anotherCommandIsRefusedAndToldWhatDiffers_data() {
        QTest::addColumn<int>("records");
        QTest::newRow("begun") << 2;
        QTest::newRow("finished") << 5;
    }
    void anotherCommandIsRefusedAndToldWhatDiffers() {
        QFETCH(int, records);
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const CorpusJob job(5);
        const CorpusJob other(5, 1.6);
        job.run(folder / "x.jsonl", 1, false, records);
        const auto before = filesIn(folder.path());
        const std::string partial = contentOf(folder / "x.partial.jsonl");
        const Refusal told = refusal([&] { other.run(folder / "x.jsonl", 1); });
        QCOMPARE(told.exit_code, 2);
        QVERIFY2(contains(told.message, "generation.temperature was 1.0, is 1.6") &&
                     contains(told.message, "--overwrite") && !contains(told.message, "top_k"),
                 told.message.c_str());
        QCOMPARE(filesIn(folder.path()), before);
        QCOMPARE(contentOf(folder / "x.partial.jsonl"), partial);
        QCOMPARE(other.run(folder / "x.jsonl", 1, true), 5);
        QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        QCOMPARE(filesIn(folder.path()), kFinished);
        QCOMPARE(refusal([&] { job.run(folder / "x.jsonl", 1); }).exit_code, 2);
    }

    void settingsThatAreMissingOrNewAreNamed() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const CorpusJob job(2);
        job.run(folder / "x.jsonl", 1);
        auto meta = job.meta();
        meta["generation"].erase("top_k");
        meta["seed"] = 42;
        const Refusal told = refusal([&] { CorpusWriter::open(folder / "x.jsonl", meta, job.ids(), false); });
        QVERIFY2(contains(told.message, "generation.top_k was 20, is absent") &&
                     contains(told.message, "seed was absent, is 42"),
                 told.message.c_str());
        // The order of the keys says nothing.
        const nlohmann::ordered_json turned = {{"generation", {{"top_k", 20}, {"temperature", 1.0}}},
                                               {"model", "abc"}};
        QVERIFY(CorpusWriter::open(folder / "x.jsonl", turned, job.ids(), false).complete());
    }

    void otherIdsAreAnotherCommand() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const CorpusJob job(5);
        job.run(folder / "x.jsonl", 1, false, 2);
        auto ids = job.ids();
        std::swap(ids[1], ids[2]);
        const Refusal told = refusal([&] { CorpusWriter::open(folder / "x.jsonl", job.meta(), ids, false); });
        QCOMPARE(told.exit_code, 2);
        QVERIFY2(contains(told.message, "prompt_ids_sha256"), told.message.c_str());
    }

    void aSettingsFileOfAnotherShapeIsNamed() {
        const CorpusJob job(3);
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        job.run(folder / "x.jsonl", 1);
        for (const char* strange : {"[]", "7", "null", "{}", "{\"mine\": 1}"}) {
            folder.put("x.meta.json", strange);
            const Refusal told = refusal([&] { job.run(folder / "x.jsonl", 1); });
            QCOMPARE(told.exit_code, 2);
            QVERIFY2(contains(told.message, "x.meta.json is not a settings file; --overwrite"),
                     told.message.c_str());
        }
    }

    void whatNothingTellsTheMakerOfIsRefused() {
        const CorpusJob job(3);
        for (const std::string name : {"x.jsonl", "x.partial.jsonl"}) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            folder.put(name, "my own file\n");
            const Refusal told = refusal([&] { job.run(folder / "x.jsonl", 1); });
            QCOMPARE(told.exit_code, 2);
            QVERIFY2(contains(told.message, "x.meta.json") && contains(told.message, "--overwrite"),
                     told.message.c_str());
            QCOMPARE(filesIn(folder.path()), std::set<std::string>{name});
            QCOMPARE(contentOf(folder / name), "my own file\n"s);
            job.run(folder / "x.jsonl", 1, true);
            QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
            QCOMPARE(filesIn(folder.path()), kFinished);
        }
    }

    void aFinishedFileThatWasChangedIsRefused() {
        const CorpusJob job(5);
        const std::string lines = job.expected();
        const std::string first = lines.substr(0, lines.find('\n') + 1);
        for (const std::string& changed : {first, lines + first, "{}\n" + lines, ""s, lines.substr(0, 200)}) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            job.run(folder / "x.jsonl", 1);
            folder.put("x.jsonl", changed);
            const Refusal told = refusal([&] { job.run(folder / "x.jsonl", 1); });
            QCOMPARE(told.exit_code, 2);
            QVERIFY2(contains(told.message, "changed since it was made"), told.message.c_str());
            QCOMPARE(contentOf(folder / "x.jsonl"), changed);
            job.run(folder / "x.jsonl", 1, true);
            QCOMPARE(contentOf(folder / "x.jsonl"), lines);
        }
    }

    void overwriteMakesAFinishedFileAgainAndKeepsItUntilThen() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        const CorpusJob job(5);
        const CorpusJob other(5, 1.6);
        job.run(folder / "x.jsonl", 1);
        QCOMPARE(job.run(folder / "x.jsonl", 1, true), 5);
        QCOMPARE(other.run(folder / "x.jsonl", 1, true, 2), 2);
        QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        // Begun by this command, so that it goes on instead of beginning again.
        QCOMPARE(other.run(folder / "x.jsonl", 2, true), 3);
    }

    void damageBeforeTheLastLineIsRefused() {
        const CorpusJob job(6);
        const TemporaryFolder made(TemporaryFolder::On::memory);
        job.run(made / "x.jsonl", 1, false, 4);
        const std::string whole = contentOf(made / "x.partial.jsonl");
        const size_t second = whole.find('\n') + 1;
        const std::string first_line = whole.substr(0, second);
        const std::string rest = whole.substr(second);
        for (const std::string& damaged :
             {"{}\n" + whole, first_line + whole, first_line + "\n" + rest, first_line.substr(5) + rest,
              first_line + "{\"id\":\"foreign\"}\n" + rest,
              first_line + std::string(10, '\0') + "\n" + rest}) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            folder.put("x.meta.json", contentOf(made / "x.meta.json"));
            folder.put("x.partial.jsonl", damaged);
            const Refusal told = refusal([&] { job.run(folder / "x.jsonl", 1); });
            QCOMPARE(told.exit_code, 2);
            QVERIFY2(contains(told.message, "x.partial.jsonl: line "), told.message.c_str());
            QCOMPARE(contentOf(folder / "x.partial.jsonl"), damaged);
            QCOMPARE(job.run(folder / "x.jsonl", 1, true), 6);
            QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        }
    }

    void aSecondWriterIsRefusedUntilTheFirstIsGone() {
        const TemporaryFolder folder;
        const CorpusJob job(5);
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            CorpusWriter writer = CorpusWriter::open(folder / "x.jsonl", job.meta(), job.ids(), false);
            writer.append(2, job.record(2));
            static_cast<void>(!::write(ready[1], "r", 1));
            for (;;)
                ::pause();
        }
        char byte = 0;
        QCOMPARE(::read(ready[0], &byte, 1), ssize_t{1});
        const Refusal told = refusal([&] { job.run(folder / "x.jsonl", 1, true); });
        QCOMPARE(told.exit_code, 2);
        QVERIFY2(contains(told.message, "another process is writing it"), told.message.c_str());
        QVERIFY(contains(refusal([&] { job.run(folder / "x", 1); }).message, "another process"));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        ::close(ready[0]);
        ::close(ready[1]);
        QCOMPARE(job.run(folder / "x.jsonl", 1), 4);
        QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        QCOMPARE(filesIn(folder.path()), kFinished);
    }

    void outsThatCannotBeMadeAreRefusedFirst() {
        const TemporaryFolder folder;
        const CorpusJob job(2);
        QCOMPARE(refusal([&] { job.run(folder / "no/x.jsonl", 1); }).exit_code, 2);
        folder.put("file", "");
        QCOMPARE(refusal([&] { job.run(folder / "file/x.jsonl", 1); }).exit_code, 2);
        QCOMPARE(refusal([&] { job.run(folder.path(), 1); }).exit_code, 2);
        QCOMPARE(refusal([&] { job.run("/dev/null", 1); }).exit_code, 2);
        QCOMPARE(::mkfifo((folder / "fifo.jsonl").c_str(), 0600), 0);
        QCOMPARE(refusal([&] { job.run(folder / "fifo.jsonl", 1); }).exit_code, 2);
        QCOMPARE(::mkfifo((folder / "y.partial.jsonl").c_str(), 0600), 0);
        QCOMPARE(refusal([&] { job.run(folder / "y.jsonl", 1); }).exit_code, 2);
        QCOMPARE(refusal([&] { job.run(folder / (std::string(240, 'n') + ".jsonl"), 1); }).exit_code, 2);
        QCOMPARE(refusal([&] { job.run("/proc/x.jsonl", 1); }).exit_code == 0, false);
        QCOMPARE(filesIn(folder.path()), (std::set<std::string>{"file", "fifo.jsonl", "y.partial.jsonl"}));
        const std::string longest(243 - 13, 'n');  // with ".", ".partial.jsonl", ".tmp-" and six letters: 255
        QCOMPARE(job.run(folder / (longest.substr(0, 229) + ".jsonl"), 1), 2);
    }

    void misuseIsABugAndSaysSo() {
        const TemporaryFolder folder;
        const CorpusJob job(3);
        CorpusWriter writer = CorpusWriter::open(folder / "x.jsonl", job.meta(), job.ids(), false);
        writer.append(1, job.record(1));
        QCOMPARE(refusal([&] { writer.append(1, job.record(1)); }).exit_code, 1);
        QCOMPARE(refusal([&] { writer.append(0, job.record(2)); }).exit_code, 1);
        CorpusRecord bad = job.record(2);
        bad.completion = "\xFF";
        QVERIFY(contains(refusal([&] { writer.append(2, bad); }).message, "is not UTF-8"));
        QCOMPARE(refusal([&] { writer.finish(); }).exit_code, 1);
        writer.append(2, job.record(2));
        writer.append(0, job.record(0));
        writer.finish();
        QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
    }
};

QTEST_GUILESS_MAIN(TestCorpusFile)
#include "tst_corpus_file.moc"
