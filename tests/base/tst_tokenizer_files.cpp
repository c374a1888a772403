#include <QtTest>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/text/tokenizer.h"
#include "tests/support/hostile_tokenizers.h"
#include "tests/support/refusal.h"
#include "tests/support/small_tokenizer.h"

using namespace spd;

class TestTokenizerFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void soundOneIsRead() {
        const Tokenizer tokenizer =
            Tokenizer::parse(test::smallTokenizer({"ab", "Ġhello"}).dump(), "tokenizer.json");
        QCOMPARE(tokenizer.size(), 262);
    }

    void hostileOnesAreRefused_data() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const test::HostileTokenizer& hostile : test::hostileTokenizers())
            QTest::newRow(hostile.name.c_str()) << index++;
    }
    void hostileOnesAreRefused() {
        QFETCH(int, index);
        const test::HostileTokenizer hostile = test::hostileTokenizers()[static_cast<size_t>(index)];
        const std::string text = hostile.text();
        const auto refusal = test::refusalOf([&text] { (void)Tokenizer::parse(text, "dir/tokenizer.json"); });
        QVERIFY2(refusal, "was read");
        const QByteArray message = QByteArray::fromStdString(refusal->message);
        QVERIFY2(refusal->kind == ErrorKind::file_format || refusal->kind == ErrorKind::unsupported_model,
                 message);
        QVERIFY2(refusal->isOneLine() && refusal->message.size() < 700, message);
        QVERIFY2(refusal->message.starts_with("dir/tokenizer.json: " + hostile.place), message);
        QVERIFY2(refusal->says(hostile.rule), message);
        QVERIFY2(refusal->seconds < test::most_seconds, message);
        if (refusal->seconds > slowest_) {
            slowest_ = refusal->seconds;
            slowest_name_ = hostile.name;
        }
        ++count_;
        rules_.insert(hostile.name.substr(0, hostile.name.find(' ')));
    }

    void linksOutOfTheFolderAreRefused() {  // I6
        const QTemporaryDir outside;
        const QTemporaryDir folder;
        const std::filesystem::path target =
            std::filesystem::path(outside.path().toStdString()) / "tokenizer.json";
        std::ofstream(target) << "{}";
        const std::filesystem::path inside = folder.path().toStdString();
        std::filesystem::create_symlink(target, inside / "tokenizer.json");
        const auto refusal = test::refusalOf([&] { (void)Tokenizer::open(inside); });
        QVERIFY2(refusal, "was read");
        QVERIFY2(refusal->kind == ErrorKind::file_format && refusal->isOneLine(), refusal->message.c_str());
        QVERIFY2(refusal->says((inside / "tokenizer.json").native()), refusal->message.c_str());
    }

    void everyRuleHasAFile() {
        for (int rule = 1; rule <= 10; ++rule)
            QVERIFY2(rules_.contains("T" + std::to_string(rule)), std::to_string(rule).c_str());
        std::printf("measured: %d hostile tokenizer files refused, slowest %.3f s of processor time (%s)\n",
                    count_, slowest_, slowest_name_.c_str());
    }

private:
    int count_ = 0;
    double slowest_ = 0;
    std::string slowest_name_;
    std::set<std::string> rules_;
};

QTEST_GUILESS_MAIN(TestTokenizerFiles)
#include "tst_tokenizer_files.moc"
