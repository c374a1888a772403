// A folder that is replaced at once: what may be replaced, where, and what is left beside it.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <QtTest>
#include <thread>

#include "tests/support/refusal.h"
#include "tests/support/replaced_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

class TestAtomicFolder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void appearsAtCommit();
    void goesWithoutCommit();
    void replacesOnlyWhatLosesNothing_data();
    void replacesOnlyWhatLosesNothing();
    void looksAgainAtCommit();
    void followsLinksToItsPlace();
    void needsAFolderAbove();
    void removesWhatWasLeftBehind();
    void twoWritersDoNotDisturbEachOther();
};

void TestAtomicFolder::appearsAtCommit() {
    const TemporaryFolder place;
    const fs::path path = place / "out";
    AtomicFolder folder(path);
    QVERIFY(!fs::exists(path));
    QCOMPARE(folder.path().parent_path(), fs::canonical(place.path()));
    writeNew(folder.path());
    QVERIFY(!fs::exists(path));
    folder.commit();
    QVERIFY(filesIn(path) == kNew);
    QCOMPARE(countIn(place.path()), size_t{1});
}

void TestAtomicFolder::goesWithoutCommit() {
    const TemporaryFolder place;
    makeFolder(place / "out", kOld);
    {
        const AtomicFolder folder(place / "out", kMarker);
        writeNew(folder.path());
    }
    QVERIFY(filesIn(place / "out") == kOld);
    QCOMPARE(countIn(place.path()), size_t{1});
}

void TestAtomicFolder::replacesOnlyWhatLosesNothing_data() {
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("with_marker");  // empty: replaced, else what the refusal says
    QTest::addColumn<QString>("without_marker");
    QTest::newRow("nothing") << "nothing"
                             << ""
                             << "";
    QTest::newRow("an empty folder") << "empty"
                                     << ""
                                     << "";
    QTest::newRow("a folder of ours") << "ours"
                                      << ""
                                      << "there are files in it";
    QTest::newRow("somebody's folder") << "foreign"
                                       << "no marker.json"
                                       << "there are files in it";
    QTest::newRow("a folder of ours with a folder in it") << "nested"
                                                          << "holds a folder (sub)"
                                                          << "holds a folder (sub)";
    QTest::newRow("a folder that has the marker's name") << "marker folder"
                                                         << "holds a folder"
                                                         << "holds a folder";
    QTest::newRow("a file") << "file"
                            << "not a folder"
                            << "not a folder";
    QTest::newRow("a link to nothing") << "dangling"
                                       << "not a folder"
                                       << "not a folder";
}

void TestAtomicFolder::replacesOnlyWhatLosesNothing() {
    QFETCH(QString, what);
    QFETCH(QString, with_marker);
    QFETCH(QString, without_marker);
    for (const std::string& marker : {std::string(kMarker), std::string()}) {
        const TemporaryFolder place;
        const fs::path path = place / "out";
        if (what == "file")
            place.put("out", "theirs");
        else if (what == "dangling")
            fs::create_symlink("nowhere", path);
        else if (what != "nothing")
            makeFolder(path, what == "ours" || what == "nested" ? kOld
                             : what == "foreign"                ? Files{{"thesis.tex", "theirs"}}
                                                                : Files());
        if (what == "nested")
            fs::create_directory(path / "sub");
        if (what == "marker folder")
            fs::create_directory(path / kMarker);
        const Files before = filesIn(place.path());
        const std::string rule = (marker.empty() ? without_marker : with_marker).toStdString();
        const auto refusal = refusalOf([&] {
            AtomicFolder folder(path, marker);
            writeNew(folder.path());
            folder.commit();
        });
        QCOMPARE(refusal.has_value(), !rule.empty());
        if (!refusal) {
            QVERIFY(filesIn(path) == kNew);
            QCOMPARE(countIn(place.path()), size_t{1});
            continue;
        }
        QVERIFY2(refusal->says(rule) && refusal->says("out: ") && refusal->isOneLine(),
                 refusal->message.c_str());
        QVERIFY(refusal->kind == ErrorKind::invalid_argument);
        QVERIFY(filesIn(place.path()) == before);
    }
}

/// Somebody puts a file of his own there while ours are written.
void TestAtomicFolder::looksAgainAtCommit() {
    const TemporaryFolder place;
    AtomicFolder folder(place / "out", kMarker);
    writeNew(folder.path());
    makeFolder(place / "out", {{"thesis.tex", "theirs"}});
    const auto refusal = refusalOf([&] { folder.commit(); });
    QVERIFY(refusal && refusal->kind == ErrorKind::invalid_argument);
    QVERIFY((filesIn(place / "out") == Files{{"thesis.tex", "theirs"}}));
}

void TestAtomicFolder::followsLinksToItsPlace() {
    const TemporaryFolder place;
    fs::create_directory(place / "elsewhere");
    makeFolder(place / "elsewhere/real", kOld);
    fs::create_symlink("elsewhere/real", place / "out");
    replaceByNew(place / "out/");
    QVERIFY(fs::is_symlink(place / "out"));
    QVERIFY(filesIn(place / "elsewhere/real") == kNew);
    QCOMPARE(countIn(place / "elsewhere"), size_t{1});
}

void TestAtomicFolder::needsAFolderAbove() {
    const TemporaryFolder place;
    const auto missing = refusalOf([&] { AtomicFolder(place / "nowhere/out"); });
    QVERIFY(missing && missing->kind == ErrorKind::not_found && missing->isOneLine());
    place.put("file", "");
    const auto file = refusalOf([&] { AtomicFolder(place / "file/out"); });
    QVERIFY(file && file->kind == ErrorKind::not_found);
    const auto root = refusalOf([&] { AtomicFolder("/", kMarker); });
    QVERIFY(root && root->kind == ErrorKind::invalid_argument);
    QCOMPARE(countIn(place.path()), size_t{1});
}

void TestAtomicFolder::removesWhatWasLeftBehind() {
    const TemporaryFolder place;
    makeFolder(place / ".out.tmp-aB3dE6", kNew);  // of a killed process
    makeFolder(place / ".out.tmp-locked", kNew);  // in use
    makeFolder(place / ".out.tmp-", kNew);
    makeFolder(place / ".out.tmp-notours", kNew);
    makeFolder(place / ".other.tmp-aB3dE6", kNew);
    makeFolder(place / "theirs", kNew);
    place.put(".out.tmp-fileee", "theirs");
    fs::create_symlink("theirs", place / ".out.tmp-linkkk");
    const FileHandle lock(::open((place / ".out.tmp-locked").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    QCOMPARE(::flock(lock.descriptor(), LOCK_EX), 0);
    replaceByNew(place / "out");
    QVERIFY(!fs::exists(place / ".out.tmp-aB3dE6"));
    QVERIFY(filesIn(place / ".out.tmp-locked") == kNew && filesIn(place / "theirs") == kNew);
    QCOMPARE(countIn(place.path()), size_t{8});
    QVERIFY(filesIn(place / "out") == kNew);
}

void TestAtomicFolder::twoWritersDoNotDisturbEachOther() {
    const TemporaryFolder place(TemporaryFolder::On::memory);
    constexpr int kTimes = 50;
    const auto replaceOften = [&](const std::string& who) {
        for (int i = 0; i < kTimes; ++i) {
            AtomicFolder folder(place / "out", kMarker);
            for (const char* name : {kMarker, "a"})
                writeFileAtomically(folder.path() / name, who);
            folder.commit();
        }
    };
    {
        const std::jthread first(replaceOften, "first");
        const std::jthread second(replaceOften, "second");
    }
    const Files found = filesIn(place / "out");
    QCOMPARE(found.size(), size_t{2});
    QCOMPARE(found.at("a"), found.at(kMarker));
    QCOMPARE(countIn(place.path()), size_t{1});
}

QTEST_GUILESS_MAIN(TestAtomicFolder)
#include "tst_atomic_folder.moc"
