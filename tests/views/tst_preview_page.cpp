// What a preview says, in pieces and with odd ones between; where panes part; what the page allows.

#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <cmath>

#include "views/preview/preview_page.h"

using namespace spd;
using nlohmann::ordered_json;

namespace {

ordered_json tokensOf(size_t pane, const std::vector<int>& ids) {
    ordered_json tokens = ordered_json::array();
    for (const int id : ids)
        tokens.push_back({{"id", id},
                          {"text", "t" + std::to_string(id)},
                          {"logprob", -0.5},
                          {"entropy", 1.25},
                          {"kl_to_base", 0.125},
                          {"top", {{{"id", 1}, {"text", "a\n"}, {"logprob", 0.0}}}}});
    return {{"pane", pane}, {"tokens", tokens}};
}

QPushButton* buttonOf(QWidget& page, const QString& text) {
    for (auto* button : page.findChildren<QPushButton*>())
        if (button->text() == text)
            return button;
    return nullptr;
}

}  // namespace

class tst_PreviewPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void outputIsRead() {
        PreviewValues values;
        values.begin(2);
        values.take({{"prompt", "Q"}, {"prompt_tokens", 7}});
        QVERIFY(values.take({{"pane", 1}, {"intervention", "projection 3f2a"}}) == size_t{1});
        values.take(tokensOf(0, {1, 2}));
        values.take(tokensOf(0, {3}));
        values.take({{"pane", 0}, {"finish_reason", "stop"}});
        for (const ordered_json& odd :
             {ordered_json(3), ordered_json::object(), ordered_json{{"pane", 2}}, ordered_json{{"pane", -1}},
              ordered_json{{"pane", "x"}}, ordered_json{{"pane", 0}, {"tokens", 3}},
              ordered_json{{"pane", 0}, {"tokens", {1, "x"}}}})
            values.take(odd);
        QCOMPARE(values.promptTokens(), int64_t{7});
        QCOMPARE(values.panes()[0].tokens.size(), size_t{3});
        QCOMPARE(values.panes()[0].tokens[2].text, QStringLiteral("t3"));
        QCOMPARE(values.panes()[0].tokens[0].top, QStringLiteral("100.0 %  a\u21B5"));
        QCOMPARE(values.panes()[1].intervention, QStringLiteral("projection 3f2a"));
        QCOMPARE(summaryOf(values.panes()[0]), QStringLiteral("3 tok, stop, mean KL to base 0.125"));
        values.begin(3);
        QVERIFY(values.panes().size() == 3 && values.panes()[0].tokens.empty());
    }

    void panesPartWhereTheyDiffer() {
        PreviewValues values;
        values.begin(3);
        values.take(tokensOf(0, {1, 2, 3}));
        values.take(tokensOf(1, {1, 9, 3}));
        values.take(tokensOf(2, {1, 2, 3, 4}));
        const auto& panes = values.panes();
        QVERIFY(firstDivergence(panes[1], panes[0]) == 1);
        QVERIFY(!firstDivergence(panes[2], panes[0]));  // the first may still go on so
        QVERIFY(!firstDivergence(panes[0], panes[2]));
        values.take({{"pane", 0}, {"finish_reason", "stop"}});
        QVERIFY(firstDivergence(values.panes()[2], values.panes()[0]) == 3);
    }

    void thePageAllowsWhatMakesSense() {
        PreviewPage page;
        QSignalSpy run(&page, &PreviewPage::runWanted), stop(&page, &PreviewPage::stopWanted);
        page.setOffered(true, false, false);
        auto* button = buttonOf(page, QStringLiteral("Run"));
        QVERIFY(!button->isEnabled());
        page.setPrompt(QStringLiteral("1 + 1 ="));
        QVERIFY(!button->isEnabled() && button->toolTip().contains(QStringLiteral("calibration")));
        page.setOffered(true, true, false);
        QVERIFY(button->isEnabled());
        button->click();
        QCOMPARE(run.count(), 1);
        page.begin();
        QVERIFY(!button->isEnabled());
        buttonOf(page, QStringLiteral("Stop"))->click();
        QCOMPARE(stop.count(), 1);
        page.take({{{"prompt", "1 + 1 ="}, {"prompt_tokens", 5}}, tokensOf(0, {1, 2}), tokensOf(1, {1, 3})});
        QCOMPARE(page.values().panes()[1].tokens.size(), size_t{2});
        page.end({});
        QVERIFY(button->isEnabled());
        buttonOf(page, QStringLiteral("More"))->click();
        buttonOf(page, QStringLiteral("More"))->click();
        QVERIFY(!buttonOf(page, QStringLiteral("More"))->isEnabled());
        QCOMPARE(page.choices().size(), size_t{4});
        QVERIFY(page.choices()[1].kind == PaneChoice::Kind::projection &&
                page.choices()[3].kind == PaneChoice::Kind::base);
        QVERIFY(page.settings()["prompt"] == "1 + 1 =" && page.settings()["greedy"] == false);
    }
};

QTEST_MAIN(tst_PreviewPage)
#include "tst_preview_page.moc"
