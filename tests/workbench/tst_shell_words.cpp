#include <QTest>

#include "app/workbench/link/shell_words.h"

class tst_ShellWords : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void words_data();
    void words();
    void unclosed();
    void thereAndBack();
};

void tst_ShellWords::words_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("expected");  // separated by |
    const std::pair<const char*, const char*> rows[] = {
        {"spd-attach", "spd-attach"},
        {"  ssh  host\tspd-attach --workspace /w ", "ssh|host|spd-attach|--workspace|/w"},
        {"sh -c 'ssh host \"spd attach\" $X'", "sh|-c|ssh host \"spd attach\" $X"},
        {R"(a "b \"c\" \d" 'e\' f\ g)", R"(a|b "c" \d|e\|f g)"},
        {"''", ""},
        {"a''b\"\"c", "abc"},
    };
    for (const auto& [line, expected] : rows)
        QTest::newRow(line) << QString::fromUtf8(line) << QString::fromUtf8(expected);
}

void tst_ShellWords::words() {
    QFETCH(QString, line);
    QFETCH(QString, expected);
    const auto words = spd::shellWords(line);
    QVERIFY(words.has_value());
    QCOMPARE(words->join(u'|'), expected);
}

void tst_ShellWords::unclosed() {
    for (const char* line : {"'a", "\"a", "a\\", "a 'b\\'c'"})
        QVERIFY2(!spd::shellWords(QString::fromLatin1(line)).has_value(), line);
    QCOMPARE(spd::shellWords(QString()), QStringList());
}

void tst_ShellWords::thereAndBack() {
    const QStringList words = {QStringLiteral("a b"), QStringLiteral("it's"), QString(),
                               QStringLiteral("$x\"\\"), QStringLiteral("/plain/path-1.0")};
    QCOMPARE(spd::shellWords(spd::shellLine(words)), words);
}

QTEST_GUILESS_MAIN(tst_ShellWords)
#include "tst_shell_words.moc"
