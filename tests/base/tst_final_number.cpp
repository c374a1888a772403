// The first scorer: the number that a solution ends with; and the interval around a share.

#include <QtTest>
#include <cmath>

#include "core/evaluate/final_number.h"
#include "core/evaluate/statistics.h"

using namespace spd;

class TestFinalNumber : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheNumber_data();
    void findsTheNumber();
    void comparesNumbers();
    void knowsTheInterval_data();
    void knowsTheInterval();
};

void TestFinalNumber::findsTheNumber_data() {
    QTest::addColumn<QString>("solution");
    QTest::addColumn<double>("number");
    const auto row = [](const char* name, const char* solution, double number) {
        QTest::newRow(name) << QString(solution) << number;
    };
    row("marked", "He has 3.\n#### 18", 18);
    row("marked twice: the first", "#### 18\n#### 19", 18);
    row("marked with comma", "#### 2,125", 2125);
    row("marked with money", "#### $40.50", 40.5);
    row("marked without number", "so 7\n####", 7);
    row("marked on the next line only", "it is 7\n####\n8", 8);
    row("boxed", "thus \\boxed{12} and 13 more", 12);
    row("boxed: the last", "\\boxed{1} then \\boxed{2}", 2);
    row("boxed before marked", "#### 5\n\\boxed{6}", 6);
    row("answer is", "The answer is 42, since 6 x 7 = 43 is wrong", 42);
    row("Answer:", "ANSWER: -3 apples\n5 pears", -3);
    row("answer is no number", "the answer is unknown\n9", 9);
    row("last", "5 apples and 6 pears are 11.", 11);
    row("full stop", "It costs 18.", 18);
    row("dots", "he has 5...", 5);
    row("decimal", "3.50 dollars", 3.5);
    row("point only", "probability .25", 0.25);
    row("thousands", "1,234,567 people", 1234567);
    row("list, no thousands", "numbers 1,2", 2);
    row("four digits behind a comma", "1,2345", 2345);
    row("difference", "8-5", 5);
    row("negative", "= -5", -5);
    row("negative money", "-$5", -5);
    row("money negative", "$-5", -5);
    row("true minus", "x = \u22123", -3);
    row("range", "3 \u2013 4", 4);
    row("percent", "it rose 15%", 15);
    row("next question", "so 6.\n\nQuestion: Tom has 9 cats.", 6);
    row("next question, marked", "so 6.\nQ: 9?\n#### 10", 6);
    row("huge", "1000000000000000000000000 stars", 1e24);
}

void TestFinalNumber::findsTheNumber() {
    QFETCH(QString, solution);
    QFETCH(double, number);
    const auto found = solutionNumber(solution.toStdString());
    QVERIFY(found.has_value());
    QVERIFY2(isSameNumber(*found, number), qPrintable(QString::number(*found, 'g', 17)));
}

void TestFinalNumber::comparesNumbers() {
    QVERIFY(!solutionNumber("no idea").has_value() && !solutionNumber("").has_value());
    QVERIFY(!solutionNumber("Hm.\nQuestion: 5 + 6?").has_value());
    QVERIFY(isSameNumber(18, 18.0000001) && isSameNumber(0, 0));
    QVERIFY(!isSameNumber(18, 18.01) && !isSameNumber(18, -18) && !isSameNumber(0, 1e-3));
}

/// scipy.stats.binomtest(correct, n).proportion_ci(0.95, method="wilson")
void TestFinalNumber::knowsTheInterval_data() {
    QTest::addColumn<int>("correct");
    QTest::addColumn<int>("n");
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::newRow("22 of 100") << 22 << 100 << 0.15001282384605402 << 0.310703535149858;
    QTest::newRow("0 of 20") << 0 << 20 << 0.0 << 0.16112515805281935;
    QTest::newRow("20 of 20") << 20 << 20 << 0.8388748419471808 << 1.0;
    QTest::newRow("1 of 20") << 1 << 20 << 0.008881448800795402 << 0.23613119344674205;
    QTest::newRow("50 of 100") << 50 << 100 << 0.4038315303659956 << 0.5961684696340044;
    QTest::newRow("176 of 257") << 176 << 257 << 0.6256572299005864 << 0.738548676742898;
    QTest::newRow("1 of 1") << 1 << 1 << 0.20654931437723745 << 1.0;
    QTest::newRow("0 of 1") << 0 << 1 << 0.0 << 0.7934506856227626;
    QTest::newRow("400 of 1319") << 400 << 1319 << 0.27905414428289266 << 0.32860859070374315;
}

void TestFinalNumber::knowsTheInterval() {
    QFETCH(int, correct);
    QFETCH(int, n);
    QFETCH(double, low);
    QFETCH(double, high);
    const Interval interval = wilsonInterval(correct, n);
    QVERIFY(std::abs(interval.low - low) < 1e-12 && std::abs(interval.high - high) < 1e-12);
}

QTEST_GUILESS_MAIN(TestFinalNumber)
#include "tst_final_number.moc"
