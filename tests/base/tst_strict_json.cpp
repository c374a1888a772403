// Foreign JSON: what is refused, where, and that nothing grows faster than the text.

#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;

class TestStrictJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void refuses_data();
    void refuses();
    void accepts_data();
    void accepts();
    void keepsTheOrderOfKeys();
    void limitsBytesDepthAndValues();
    void costsLinearTime();
    void survivesDeepNesting();
    void replacesFilesWhole();
};

void TestStrictJson::refuses_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("says");
    const auto row = [](const char* what, const QByteArray& text, const char* says) {
        QTest::newRow(what) << text << QByteArray(says);
    };
    row("duplicate key", R"({"a":1,"b":2,"a":3})", "byte 16: duplicate key \"a\"");
    row("duplicate by another escape", R"({"a":1,"\u0061":2})", "duplicate key");
    row("duplicate inside", R"([{"x":{"k":1,"k":1}}])", "duplicate key");
    row("duplicate empty key", R"({"":1,"":1})", "duplicate key");
    row("byte order mark", "\xEF\xBB\xBF{}", "byte 1: byte order mark");
    row("NUL behind", QByteArray("{}\0", 3), "byte 3: NUL");
    row("NUL inside a string", QByteArray("\"a\0b\"", 5), "byte 3: NUL");
    row("invalid UTF-8", "\"\xFF\"", "byte 2");
    row("overlong UTF-8", "\"\xC0\xAF\"", "UTF-8");
    row("surrogate bytes", "\"\xED\xA0\x80\"", "UTF-8");
    row("cut UTF-8", "\"\xE2\x82\"", "UTF-8");
    row("UTF-16", QByteArray("{\0}\0", 4), "NUL");
    row("lone high surrogate", R"("\ud800")", "surrogate");
    row("lone low surrogate", R"("\udc00")", "surrogate");
    row("high surrogate twice", R"("\ud800\ud800")", "surrogate");
    row("number too large", "[1e999]", "number");
    row("negative number too large", "[-1e999]", "number");
    row("400 digits", QByteArray("[") + QByteArray(400, '9') + "]", "number");
    row("leading zero", "[01]", "byte 3");
    row("plus sign", "[+1]", "byte 2");
    row("NaN", "[NaN]", "byte 2");
    row("comment", "[1/**/]", "byte 3");
    row("single quotes", "{'a':1}", "byte 2");
    row("trailing comma", "[1,]", "byte 4");
    row("text behind", "{} {}", "byte 4");
    row("nothing", "", "unexpected end of input");
    row("unclosed", "{\"a\":[1", "unexpected end of input");
    row("control character", "\"a\nb\"", "byte 3");
    row("hex escape", R"("\x41")", "byte 3");
}

void TestStrictJson::refuses() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, says);
    const auto refusal = refusalOf([&] { parseStrictJson(text.toStdString(), "some.json", {}); });
    QVERIFY(refusal);
    QVERIFY(refusal->kind == ErrorKind::file_format);
    QVERIFY2(refusal->isOneLine() && refusal->message.starts_with("some.json: byte "),
             refusal->message.c_str());
    QVERIFY2(refusal->says(says.toStdString()), refusal->message.c_str());
    QVERIFY2(QString::fromUtf8(refusal->message.c_str()).toStdString() == refusal->message,
             "message is no UTF-8");
}

void TestStrictJson::accepts_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("dumped");
    const auto row = [](const char* what, const QByteArray& text, const QByteArray& dumped) {
        QTest::newRow(what) << text << dumped;
    };
    row("everything", R"( {"a" : [1, -2, 3.5, true, false, null, "x", {}, []]} )",
        R"({"a":[1,-2,3.5,true,false,null,"x",{},[]]})");
    row("scalar", "12", "12");
    row("surrogate pair", R"("\ud83d\ude00")", "\"\xF0\x9F\x98\x80\"");
    row("escaped NUL", R"("\u0000")", R"("\u0000")");
    row("largest integers", "[18446744073709551615,-9223372036854775808]",
        "[18446744073709551615,-9223372036854775808]");
    row("integer past 64 bits", "[18446744073709551616]", "[1.8446744073709552e+19]");
    row("underflow", "[1e-999]", "[0.0]");
    row("keys that differ", R"({"a":1,"A":2,"":3,"aa":4})", R"({"a":1,"A":2,"":3,"aa":4})");
    row("same key in two objects", R"([{"a":1},{"a":1}])", R"([{"a":1},{"a":1}])");
}

void TestStrictJson::accepts() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, dumped);
    QCOMPARE(parseStrictJson(text.toStdString(), "f", {}).dump(), dumped.toStdString());
}

void TestStrictJson::keepsTheOrderOfKeys() {
    const auto json = parseStrictJson(R"({"z":1,"a":2,"m":3})", "f", {});
    std::string keys;
    for (const auto& [key, value] : json.items())
        keys += key;
    QCOMPARE(keys, std::string("zam"));
    QCOMPARE(json.at("m").get<int>(), 3);
}

void TestStrictJson::limitsBytesDepthAndValues() {
    const JsonLimits limits{/*max_bytes=*/100, /*max_depth=*/3, /*max_values=*/5};
    QVERIFY(!refusalOf([&] { parseStrictJson("[[[1]]]", "f", limits); }));
    QVERIFY(refusalOf([&] { parseStrictJson("[[[[1]]]]", "f", limits); })->says("nested deeper than 3"));
    QVERIFY(!refusalOf([&] { parseStrictJson("[1,2,3,4]", "f", limits); }));
    QVERIFY(refusalOf([&] { parseStrictJson("[1,2,3,4,5]", "f", limits); })->says("too many values"));
    QVERIFY(refusalOf([&] { parseStrictJson(std::string(101, ' '), "f", limits); })->says("larger than 100"));
}

std::string objectOfKeys(int count, const std::string& prefix) {
    std::string text = "{";
    for (int i = 0; i < count; ++i)
        text += (i == 0 ? "\"" : ",\"") + prefix + std::to_string(i) + "\":0";
    return text + "}";
}

/// Inserting into an ordered_json searches all keys before: 150,000 would take minutes.
void TestStrictJson::costsLinearTime() {
    const JsonLimits limits{size_t{64} << 20, 64};
    const auto seconds = [&](int keys, const std::string& prefix) {
        const std::string text = objectOfKeys(keys, prefix);
        const double start = processorSeconds();
        if (parseStrictJson(text, "f", limits).size() != static_cast<size_t>(keys))
            return 1e9;
        return processorSeconds() - start;
    };
    const double small = seconds(150'000, "token");
    const double large = seconds(600'000, "token");
    const double same_start = seconds(150'000, std::string(64, 'p'));
    std::cout << "measured: object of 150,000 keys " << small << " s, 600,000 keys " << large
              << " s, 150,000 keys of one long start " << same_start << " s\n";
    QVERIFY(small < most_seconds);
    QVERIFY(large < 10 * small + 0.1);
    QVERIFY(same_start < most_seconds);
}

void TestStrictJson::survivesDeepNesting() {
    for (const char* open : {"[", "{\"a\":"}) {
        std::string text;
        while (text.size() < 900'000)
            text += open;
        QVERIFY(refusalOf([&] { parseStrictJson(text, "f", {}); })->says("nested deeper than 64"));
        QVERIFY(refusalOf([&] {
                    parseStrictJson(text, "f", {size_t{1} << 20, 1'000'000});
                })->says("end of input"));
    }
}

void TestStrictJson::replacesFilesWhole() {
    const QTemporaryDir dir;
    const std::filesystem::path path = dir.filePath("f.json").toStdString();
    writeFileAtomically(path, "one");
    writeFileAtomically(path, "second");
    QCOMPARE(readFile(path, 100), std::string("second"));
    {
        AtomicFile abandoned(path);
        abandoned.append("third");
    }
    QCOMPARE(readFile(path, 100), std::string("second"));
    QCOMPARE(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), std::ptrdiff_t{1});
    QVERIFY(refusalOf([&] { (void)readFile(path, 5); })->kind == ErrorKind::file_format);
    QVERIFY(refusalOf([&] { (void)readFile(path.parent_path(), 5); })->kind == ErrorKind::file_format);
    QVERIFY(refusalOf([&] { (void)readFile("/dev/zero", 5); })->kind == ErrorKind::file_format);
    QVERIFY(refusalOf([&] { (void)readFile(path / "none", 5); })->kind == ErrorKind::not_found);
    QVERIFY(refusalOf([&] { writeFileAtomically(path.parent_path() / "none/f", "x"); })->kind ==
            ErrorKind::not_found);
}

/// FIPS 180-4's examples.
QTEST_GUILESS_MAIN(TestStrictJson)
#include "tst_strict_json.moc"
