// Tables on the terminal.

#include <QtTest>

#include "app/cli/text_table.h"

using namespace spd::cli;

class TestTextTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void alignsColumns();
    void countsTerminalCells();
};

void TestTextTable::alignsColumns() {
    TextTable table;
    table.addColumn("run");
    table.addColumn("steps", TextTable::Align::right);
    QCOMPARE(table.text(), std::string("run  steps\n"));
    QVERIFY(table.empty());
    table.addRow({"spd-s42", "1"});
    table.addRow({"a", "1,000,000"});
    table.addRow({"short"});
    QCOMPARE(table.text(), std::string("run          steps\n"
                                       "spd-s42          1\n"
                                       "a        1,000,000\n"
                                       "short\n"));
}

/// Wide, combining and broken characters move nothing.
void TestTextTable::countsTerminalCells() {
    TextTable table;
    table.addColumn("a");
    table.addColumn("b");
    table.addRow({"\u6570\u5b66", "x"});
    table.addRow({"e\u0301", "x"});
    table.addRow({"\xff", "x"});
    QCOMPARE(table.text(), std::string("a     b\n\u6570\u5b66  x\ne\u0301     x\n\xff     x\n"));
}

QTEST_GUILESS_MAIN(TestTextTable)
#include "tst_text_table.moc"
