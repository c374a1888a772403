// Foreign text in messages: nothing that a terminal obeys, always UTF-8, one line, bounded.

#include <QtTest>

#include "core/base/error.h"
#include "core/text/unicode/utf8.h"

using namespace spd;

class TestError : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepsWhatCanBeRead_data();
    void keepsWhatCanBeRead();
    void isAlwaysUtf8();
    void cutsOnACharacter();
};

void TestError::keepsWhatCanBeRead_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("shown");
    QTest::newRow("plain") << QByteArray("a b~") << QByteArray("a b~");
    QTest::newRow("letters") << QByteArray("\u00e9\u20ac\U0001F600\u00a0")
                             << QByteArray("\u00e9\u20ac\U0001F600\u00a0");
    QTest::newRow("escape") << QByteArray("\x1b[31m\n") << QByteArray("\\x1b[31m\\x0a");
    QTest::newRow("C1") << QByteArray("\u009b31m\u0080\u009f")
                        << QByteArray("\\xc2\\x9b31m\\xc2\\x80\\xc2\\x9f");
    QTest::newRow("bare C1") << QByteArray(
                                    "tk\x9b"
                                    "31m\xff")
                             << QByteArray("tk\\x9b31m\\xff");
    QTest::newRow("direction") << QByteArray("a\u202eb\u2066c\u200e")
                               << QByteArray("a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\u200e");
    QTest::newRow("overlong") << QByteArray("\xc0\xaf\xe0\x80\xaf")
                              << QByteArray("\\xc0\\xaf\\xe0\\x80\\xaf");
    QTest::newRow("surrogate") << QByteArray("\xed\xa0\x80") << QByteArray("\\xed\\xa0\\x80");
    QTest::newRow("too large") << QByteArray("\xf4\x90\x80\x80\xf5")
                               << QByteArray("\\xf4\\x90\\x80\\x80\\xf5");
    QTest::newRow("cut off") << QByteArray("a\xe2\x82") << QByteArray("a\\xe2\\x82");
}

void TestError::keepsWhatCanBeRead() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, shown);
    QCOMPARE(QByteArray::fromStdString(printable(text.toStdString())), shown);
}

void TestError::isAlwaysUtf8() {
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second)
            for (const int third : {0x00, 0x41, 0x80, 0xA0, 0xBF, 0xC2, 0xFF}) {
                std::string text;
                for (const int byte : {first, second, third})
                    text += static_cast<char>(byte);
                const std::string shown = printable(text);
                QCOMPARE(unicode::validPrefix(shown), shown.size());
                // What is valid and harmless stays; everything else is spelled out.
                if (unicode::validPrefix(text) < text.size())
                    QVERIFY(shown != text);
            }
}

void TestError::cutsOnACharacter() {
    QCOMPARE(printable("\u20ac\u20ac\u20ac", 4), std::string("\u20ac\u20ac..."));
    QCOMPARE(printable("abc", 3), std::string("abc"));
    QCOMPARE(printable("abcd", 3), std::string("abc..."));
}

QTEST_GUILESS_MAIN(TestError)
#include "tst_error.moc"
