// The token view: readable texts, the layout, selection by keys and mouse, how long a picture takes.

#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QElapsedTimer>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <cstdio>

#include "views/shared/token_view/token_view.h"

using namespace spd;

namespace {

std::vector<ShownToken> words(int count) {
    std::vector<ShownToken> tokens;
    for (int i = 0; i < count; ++i)
        tokens.push_back({.text = i % 40 == 39 ? QStringLiteral(".\n") : QStringLiteral(" word%1").arg(i),
                          .id = i,
                          .special = i % 97 == 0});
    return tokens;
}

QPointF middleOf(const TokenView& view, int token) {
    // Rows of the test's views do not scroll; the widths are those of the mono font.
    for (int y = 4; y < view.viewport()->height(); y += 4)
        for (int x = 0; x < view.viewport()->width(); x += 3) {
            QMouseEvent move(QEvent::MouseMove, QPointF(x, y), view.viewport()->mapToGlobal(QPointF(x, y)),
                             Qt::NoButton, Qt::NoButton, Qt::NoModifier);
            QSignalSpy hovered(&view, &TokenView::tokenHovered);
            QApplication::sendEvent(view.viewport(), &move);
            if (!hovered.isEmpty() && hovered.last().first().toInt() == token)
                return QPointF(x, y);
        }
    return {};
}

}  // namespace

class tst_TokenView : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void textsAreReadable() {
        QCOMPARE(readableText(QStringLiteral(" word")), QStringLiteral(" word"));
        QCOMPARE(readableText(QStringLiteral(" ")), QStringLiteral("\u00b7"));
        QCOMPARE(readableText(QStringLiteral("   x")), QStringLiteral("\u00b7\u00b7\u00b7x"));
        QCOMPARE(readableText(QStringLiteral("\n\t\r")), QStringLiteral("\u21b5\u21e5\u2190"));
        QCOMPARE(readableText(QString(QChar(u'\0'))), QStringLiteral("\u2400"));
        QCOMPARE(readableText(QStringLiteral("a\u202eb")), QStringLiteral("a\u25ccb"));
        QCOMPARE(readableText({}), QStringLiteral("\u25cc"));
        QCOMPARE(readableText(QStringLiteral("\U0001f600")), QStringLiteral("\U0001f600"));
        QVERIFY(describeToken(3, {.text = QStringLiteral("<s>"), .id = 1, .special = true})
                    .contains(QStringLiteral("special")));
    }

    void rowsEndWhereTheyMust() {
        TokenLayout layout;
        layout.build(
            {{30, false}, {30, false}, {50, false}, {10, true}, {10, false}, {500, false}, {5, false}}, 100);
        QCOMPARE(layout.rows(), 5);
        QVERIFY((layout.row(0) == TokenSpan{0, 2}));
        QVERIFY((layout.row(1) == TokenSpan{2, 4}));
        QVERIFY((layout.row(2) == TokenSpan{4, 5}));
        QVERIFY((layout.row(3) == TokenSpan{5, 6}));
        for (int token = 0; token < layout.size(); ++token) {
            const int row = layout.rowOf(token);
            QVERIFY(token >= layout.row(row).from && token < layout.row(row).to);
            QCOMPARE(layout.tokenAt(row, layout.left(token) + 1), token);
            QCOMPARE(layout.nearest(row, layout.left(token) + 1), token);
        }
        QCOMPARE(layout.tokenAt(0, 99), -1);
        QCOMPARE(layout.nearest(0, 99), 1);
        QCOMPARE(layout.nearest(-3, -5), 0);
        QCOMPARE(layout.nearest(99, 0), 6);
        layout.build({}, 100);
        QCOMPARE(layout.nearest(0, 0), -1);
    }

    void keysSelect() {
        TokenView view;
        view.resize(400, 200);
        view.setTokens(words(30));
        QSignalSpy selected(&view, &TokenView::rangeSelected), chosen(&view, &TokenView::rangeChosen),
            removed(&view, &TokenView::rangeRemoved);
        QTest::keyClick(&view, Qt::Key_Right);
        QTest::keyClick(&view, Qt::Key_Right, Qt::ShiftModifier);
        QTest::keyClick(&view, Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(selected.count(), 2);
        QVERIFY((view.selection() == TokenSpan{1, 4}));
        QTest::keyClick(&view, Qt::Key_Return);
        QCOMPARE(chosen.last(), (QVariantList{1, 3, false}));
        QTest::keyClick(&view, Qt::Key_Delete);
        QCOMPARE(removed.last(), (QVariantList{1, 3}));
        QTest::keyClick(&view, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral(" word1 word2 word3"));
        QTest::keyClick(&view, Qt::Key_Left, Qt::ShiftModifier);
        QVERIFY((view.selection() == TokenSpan{1, 3}));
        QTest::keyClick(&view, Qt::Key_Escape);
        QVERIFY((view.selection() == TokenSpan{}));
        QTest::keyClick(&view, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(chosen.last(), (QVariantList{2, 2, true}));
        QTest::keyClick(&view, Qt::Key_End, Qt::ControlModifier);
        QCOMPARE(view.current(), 29);
        QTest::keyClick(&view, Qt::Key_Down);
        QCOMPARE(view.current(), 29);
        QVERIFY(view.accessibleDescription().contains(QStringLiteral("word29")));
        view.setTokens({});
        for (const Qt::Key key : {Qt::Key_Down, Qt::Key_Return, Qt::Key_Home})
            QTest::keyClick(&view, key);
    }

    void theMouseSelects() {
        TokenView view;
        view.resize(500, 300);
        view.setTokens(words(30));
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QSignalSpy chosen(&view, &TokenView::rangeChosen), selected(&view, &TokenView::rangeSelected);
        const QPoint from = middleOf(view, 4).toPoint(), to = middleOf(view, 7).toPoint();
        QVERIFY(!from.isNull() && !to.isNull());
        QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, from);
        QCOMPARE(view.current(), 4);
        QCOMPARE(chosen.count(), 0);
        QTest::mousePress(view.viewport(), Qt::LeftButton, {}, to);
        QTest::mouseMove(view.viewport(), from);
        QTest::mouseRelease(view.viewport(), Qt::LeftButton, {}, from);
        QCOMPARE(chosen.last(), (QVariantList{4, 7, false}));
        QCOMPARE(selected.last(), (QVariantList{4, 7}));
        QTest::mouseDClick(view.viewport(), Qt::LeftButton, {}, to);
        QCOMPARE(chosen.last(), (QVariantList{7, 7, false}));
    }

    void whatIsAppendedIsFollowed() {
        TokenView view;
        view.resize(300, 120);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        view.append(words(200));
        QCOMPARE(view.verticalScrollBar()->value(), view.verticalScrollBar()->maximum());
        view.verticalScrollBar()->setValue(0);
        view.append(words(10));
        QCOMPARE(view.verticalScrollBar()->value(), 0);
        QCOMPARE(view.tokens().size(), size_t{210});
    }

    void manyTokensAreFluent() {
        TokenView view;
        view.resize(850, 560);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        QElapsedTimer timer;
        timer.start();
        view.setTokens(words(100000));
        view.setSpans({{50, 90}, {5000, 5100}});
        const double set = static_cast<double>(timer.nsecsElapsed()) * 1e-6;
        view.verticalScrollBar()->setValue(view.verticalScrollBar()->maximum() / 2);
        timer.restart();
        constexpr int pictures = 20;
        for (int i = 0; i < pictures; ++i)
            view.grab();
        const double painted = static_cast<double>(timer.nsecsElapsed()) * 1e-6 / pictures;
        std::printf("measured: 100,000 tokens: set and laid out in %.1f ms, a picture in %.1f ms\n", set,
                    painted);
        QVERIFY(set < 100);
        QVERIFY(painted < 33);
    }
};

QTEST_MAIN(tst_TokenView)
#include "tst_token_view.moc"
