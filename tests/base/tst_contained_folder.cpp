// Files of a Hugging Face cache open while other programs rename files: the kernel then asks to try again.

#include <sys/stat.h>

#include <QTemporaryDir>
#include <QtTest>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include "core/base/contained_folder.h"

namespace fs = std::filesystem;
using namespace spd;

class TestContainedFolder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void opensWhileOthersRename();
};

void TestContainedFolder::opensWhileOthersRename() {
    constexpr int kOpens = 20'000;
    const QTemporaryDir directory;
    const fs::path root = directory.path().toStdString();
    const fs::path snapshot = root / "models--org--name/snapshots/0123abcd";
    fs::create_directories(snapshot);
    fs::create_directories(root / "models--org--name/blobs");
    writeFileAtomically(root / "models--org--name/blobs/b", "content");
    fs::create_symlink("../../blobs/b", snapshot / "f");
    writeFileAtomically(root / "moving", "");

    std::atomic<int64_t> renames = 0;
    std::jthread other([&](const std::stop_token& stop) {
        const fs::path names[] = {root / "moving", root / "moved"};
        for (; !stop.stop_requested(); ++renames)
            if (std::rename(names[renames % 2].c_str(), names[(renames + 1) % 2].c_str()) != 0)
                return;
    });
    while (renames == 0)
        std::this_thread::yield();
    const ContainedFolder folder = ContainedFolder::open(snapshot);
    for (int i = 0; i < kOpens; ++i)
        QCOMPARE(folder.readFile("f", 100), std::string("content"));
    std::cout << "measured: " << kOpens << " files of a cache opened beside " << renames << " renames\n";
    QVERIFY(renames > 1000);
}

QTEST_GUILESS_MAIN(TestContainedFolder)
#include "tst_contained_folder.moc"
