#include <QElapsedTimer>
#include <QFontDatabase>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <cstdio>

#include "views/shared/tokens/token_layout.h"
#include "views/shared/tokens/token_view.h"

using spd::Token;
using spd::TokenLayout;
using spd::TokenView;

class tst_TokenView : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wraps();
    void longTokenIsCut();
    void emptyAndOdd();
    void appendsAsIfSet();
    void hoversAndPicks();
    void manyTokens();
};

namespace {

QFontMetricsF metrics() {
    return QFontMetricsF(QFontDatabase::systemFont(QFontDatabase::FixedFont));
}
double width(int characters) {
    return metrics().horizontalAdvance(u'm') * characters + 0.5;
}

/// Pieces as "token:text" by line.
QString shape(const TokenLayout& layout) {
    QString text;
    int line = 0;
    for (const spd::TokenPiece& piece : layout.pieces()) {
        for (; line < piece.line; ++line)
            text += u'|';
        text += QStringLiteral("[%1:%2]").arg(piece.token).arg(piece.text);
    }
    return text;
}

std::vector<QString> texts(std::initializer_list<const char*> list) {
    std::vector<QString> result;
    for (const char* one : list)
        result.push_back(QString::fromUtf8(one));
    return result;
}

}  // namespace

void tst_TokenView::wraps() {
    TokenLayout layout;
    layout.set(texts({"abc", " def", " gh\n", "\n", "ij"}), metrics(), width(8));
    QCOMPARE(shape(layout), QStringLiteral("[0:abc][1: def]|[2: gh\u23ce]|[3:\u23ce]|[4:ij]"));
    QCOMPARE(layout.lineCount(), 4);
    QCOMPARE(layout.tokenAt(0, width(4)), 1);
    QCOMPARE(layout.tokenAt(0, width(20)), -1);
    QCOMPARE(layout.tokenAt(9, 0), -1);
    QCOMPARE(layout.lineOf(4), 3);
    QCOMPARE(layout.lineOf(99), -1);
}

void tst_TokenView::longTokenIsCut() {
    TokenLayout layout;
    layout.set(texts({"ab", "0123456789", "c"}), metrics(), width(4));
    QCOMPARE(shape(layout), QStringLiteral("[0:ab]|[1:0123]|[1:4567]|[1:89][2:c]"));
}

void tst_TokenView::emptyAndOdd() {
    TokenLayout layout;
    layout.set({}, metrics(), width(4));
    QCOMPARE(layout.lineCount(), 0);
    layout.set(texts({"", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "\r\n", "\t"}), metrics(), 1);
    for (const spd::TokenPiece& piece : layout.pieces())
        QVERIFY(piece.text.isEmpty() || !piece.text.front().isLowSurrogate());
}

void tst_TokenView::appendsAsIfSet() {
    TokenLayout whole, parts;
    whole.set(texts({"abc", " def\n", "gh", " ijklm"}), metrics(), width(7));
    parts.set(texts({"abc"}), metrics(), width(7));
    parts.append(texts({" def\n", "gh"}), metrics());
    parts.append(texts({" ijklm"}), metrics());
    QCOMPARE(shape(parts), shape(whole));
}

void tst_TokenView::hoversAndPicks() {
    TokenView view;
    view.resize(400, 100);
    view.show();
    std::vector<Token> tokens(3);
    for (int i = 0; i < 3; ++i)
        tokens[static_cast<size_t>(i)].text = QStringLiteral("word ");
    tokens[1].heat = 0.7;
    tokens[2].special = true;
    view.setTokens(tokens);
    view.setSpans({{0, 1, spd::Role::spd}});
    view.setMark(1);
    view.setPicking(true);
    QSignalSpy hovered(&view, &TokenView::hovered), picked(&view, &TokenView::tokensPicked);
    const int step = static_cast<int>(width(5));
    const auto at = [&](int token) { return QPoint(16 + token * step + step / 2, 12); };
    QTest::mouseMove(view.viewport(), at(1));
    QTRY_VERIFY_WITH_TIMEOUT(!hovered.isEmpty(), 30'000);
    QCOMPARE(hovered.last()[0].toInt(), 1);
    QTest::mousePress(view.viewport(), Qt::LeftButton, {}, at(2));
    QTest::mouseRelease(view.viewport(), Qt::LeftButton, {}, at(1));
    QCOMPARE(picked.size(), 1);
    QCOMPARE(picked[0][0].toInt(), 1);
    QCOMPARE(picked[0][1].toInt(), 3);
    QCOMPARE(view.text(), QStringLiteral("word word word "));
    QVERIFY(!view.grab().isNull());
}

void tst_TokenView::manyTokens() {
    TokenView view;
    view.resize(600, 400);
    view.show();
    std::vector<Token> tokens(100'000);
    for (Token& token : tokens)
        token.text = QStringLiteral(" token");
    QElapsedTimer timer;
    timer.start();
    view.setTokens(std::move(tokens));
    std::printf("measured: layout of 100000 tokens: %lld ms\n", static_cast<long long>(timer.elapsed()));
    view.scrollTo(90'000);
    timer.restart();
    view.grab();
    std::printf("measured: painting among 100000 tokens: %lld ms\n", static_cast<long long>(timer.elapsed()));
    QVERIFY(timer.elapsed() < 200);
}

QTEST_MAIN(tst_TokenView)
#include "tst_token_view.moc"
