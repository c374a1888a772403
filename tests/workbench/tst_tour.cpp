// The real window and the real engine through every page, on the checkpoint that SPD_TOUR_MODEL names: choose
// a model, calibrate, see the spectra, pick, generate, train, find the run. SPD_SCREENSHOTS=DIR keeps a
// picture of each page, light and dark.

#include <QDir>
#include <QElapsedTimer>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <set>

#include "app/workbench/link/shell_words.h"
#include "app/workbench/main_window.h"
#include "app/workbench/pages/pages.h"
#include "app/workbench/workbench.h"
#include "views/calibration/calibration_choice.h"
#include "views/calibration/calibration_page.h"
#include "views/corpus/corpus_model.h"
#include "views/corpus/corpus_page.h"
#include "views/model/model_page.h"
#include "views/preview/preview_page.h"
#include "views/runs/runs_models.h"
#include "views/runs/runs_page.h"
#include "views/shared/plot/plot.h"
#include "views/subspace/heat_map.h"
#include "views/subspace/subspace_page.h"
#include "views/training/training_page.h"
#include "views/training/training_plots.h"

using namespace spd;
using nlohmann::ordered_json;

namespace {

constexpr int kPatience = 240'000;  // for one stage, beside other tests

int numberFrom(const char* name, int otherwise) {
    bool is_number = false;
    const int number = qEnvironmentVariableIntValue(name, &is_number);
    return is_number ? number : otherwise;
}

}  // namespace

class tst_Tour : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aModelIsChosen();
    void itIsCalibrated();
    void theSpectraAreShownAndPicked();
    void aCorpusGrows();
    void anAdapterIsTrained();
    void panesStandSideBySide();
    void theRunIsFound();
    void aSecondWindowSeesTheSame();
    void cleanupTestCase();

private:
    struct Program {
        explicit Program(const QString& ini)
            : settings(ini), workbench(settings), window(workbench, theme()) {}
        static Theme& theme() {
            static Theme one(*qobject_cast<QApplication*>(QCoreApplication::instance()));
            return one;
        }
        Settings settings;
        Workbench workbench;
        MainWindow window;
    };
    void open(std::unique_ptr<Program>& program, const QString& name);
    void picture(Stage stage, const char* name);
    const protocol::Job* job(const char* kind) const;

    std::unique_ptr<QTemporaryDir> folder_;
    QString model_;
    std::unique_ptr<Program> first_;
    std::unique_ptr<Program> second_;
    QElapsedTimer timer_;
};

void tst_Tour::open(std::unique_ptr<Program>& program, const QString& name) {
    program = std::make_unique<Program>(folder_->filePath(name));
    program->window.resize(1280, 720);
    program->window.show();
    program->workbench.connectTo(shellLine({QStringLiteral(SPD_ATTACH), QStringLiteral("--workspace"),
                                            folder_->filePath(QStringLiteral("workspace")),
                                            QStringLiteral("--linger"), QStringLiteral("2")}));
}

void tst_Tour::picture(Stage stage, const char* name) {
    const QString pictures = qEnvironmentVariable("SPD_SCREENSHOTS");
    first_->window.showPage(stage);
    QTest::qWait(200);
    if (pictures.isEmpty())
        return;
    for (const ThemeChoice theme : {ThemeChoice::dark, ThemeChoice::light}) {
        Program::theme().choose(theme);
        QTest::qWait(150);
        const char* suffix = theme == ThemeChoice::dark ? "dark" : "light";
        QVERIFY(first_->window.grab().save(
            QStringLiteral("%1/tour-%2-%3.png").arg(pictures, QLatin1String(name), QLatin1String(suffix))));
    }
}

const protocol::Job* tst_Tour::job(const char* kind) const {
    for (const JobsModel::Row& row : first_->workbench.jobs().rows())
        if (row.job.kind == kind)
            return &row.job;
    return nullptr;
}

void tst_Tour::initTestCase() {
    model_ = qEnvironmentVariable("SPD_TOUR_MODEL");
    if (!QDir(model_).exists(QStringLiteral("config.json")))
        QFAIL("SPD_TOUR_MODEL names no checkpoint folder");
    folder_ = std::make_unique<QTemporaryDir>();
    timer_.start();
    open(first_, QStringLiteral("first.ini"));
    QTRY_COMPARE_WITH_TIMEOUT(first_->workbench.client().state(), EngineState::ready, kPatience);
    std::printf("measured: from the window's start to a ready engine %lld ms\n", timer_.elapsed());
}

void tst_Tour::aModelIsChosen() {
    ModelPage* page = first_->window.pages().model;
    QLineEdit* name = nullptr;
    for (auto* line : page->findChildren<QLineEdit*>())
        name = line->placeholderText().startsWith(QStringLiteral("Folder")) ? line : name;
    QVERIFY(name != nullptr);
    name->setText(model_);
    QTest::keyClick(name, Qt::Key_Return);
    QPushButton* use = nullptr;
    for (auto* button : page->findChildren<QPushButton*>())
        use = button->text() == QStringLiteral("Use this model") ? button : use;
    QVERIFY(use != nullptr);
    QTRY_VERIFY_WITH_TIMEOUT(use->isEnabled(), kPatience);  // its load report is there
    use->click();
    QCOMPARE(first_->workbench.draft().model, model_);
    QCOMPARE(first_->workbench.runCard().next_step, QStringLiteral("Run calibration"));
    picture(Stage::model, "model");
}

void tst_Tour::itIsCalibrated() {
    CalibrationPage* page = first_->window.pages().calibration;
    CalibrationChoice choice;
    choice.n = numberFrom("SPD_TOUR_EXAMPLES", 6);
    page->setChoice(choice);
    Q_EMIT page->examplesWanted(examplesParams(choice, model_.toStdString(), 0));
    QTest::qWait(2000);
    picture(Stage::calibration, "calibration");
    Q_EMIT page->runWanted(runParams(choice, model_.toStdString(), nullptr));
    QTRY_VERIFY_WITH_TIMEOUT(!first_->workbench.draft().subspace.isEmpty(), kPatience);
    QVERIFY(job("calibrate") != nullptr && job("calibrate")->state == protocol::JobState::finished);
    picture(Stage::calibration, "calibrated");
}

void tst_Tour::theSpectraAreShownAndPicked() {
    SubspacePage* page = first_->window.pages().subspace;
    QTRY_VERIFY_WITH_TIMEOUT(page->hasCurves(), kPatience);
    QVERIFY(!page->pick().layers.empty());
    const std::set<int64_t> before = page->pick().layers;
    picture(Stage::subspace, "subspace");
    Q_EMIT page->findChild<HeatMap*>()->layerToggled(0);
    QVERIFY(page->pick().layers != before);
    page->undoStack()->undo();
    QVERIFY(page->pick().layers == before);
    QVERIFY(!first_->workbench.draft().rank.isEmpty() && !first_->workbench.draft().layers.isEmpty());
    QCOMPARE(first_->workbench.runCard().next_step, QStringLiteral("Generate corpus"));
}

void tst_Tour::aCorpusGrows() {
    CorpusPage* page = first_->window.pages().corpus;
    ordered_json settings = page->settings();
    settings["n_train"] = numberFrom("SPD_TOUR_PROMPTS", 6);
    settings["max_new_tokens"] = numberFrom("SPD_TOUR_NEW_TOKENS", 24);
    page->setSettings(settings);
    Q_EMIT page->generateWanted(page->settings());
    QTRY_VERIFY_WITH_TIMEOUT(!first_->workbench.draft().corpus.isEmpty(), kPatience);
    QTRY_COMPARE_WITH_TIMEOUT(page->shownRecords(), settings["n_train"].get<int64_t>(), kPatience);
    std::set<QString> ids;  // each once, though the order changes at the end
    for (const CorpusRow& row : page->findChild<CorpusModel*>()->content().rows())
        ids.insert(row.id);
    QTRY_COMPARE_WITH_TIMEOUT(page->shownRecords(), std::ssize(ids), kPatience);
    for (auto* table : page->findChildren<QTableView*>())
        if (table->accessibleName() == QStringLiteral("Completions"))
            table->selectRow(1);
    picture(Stage::corpus, "corpus");
    QCOMPARE(first_->workbench.runCard().next_step, QStringLiteral("Train adapter"));
}

void tst_Tour::anAdapterIsTrained() {
    TrainingPage* page = first_->window.pages().training;
    ordered_json settings = page->settings();
    settings["epochs"] = numberFrom("SPD_TOUR_EPOCHS", 3);
    settings["batch_size"] = 2;
    settings["lr"] = 2e-4;
    page->setSettings(settings);
    Q_EMIT page->trainWanted(page->settings());
    QTRY_VERIFY_WITH_TIMEOUT(!first_->workbench.draft().adapter.isEmpty(), kPatience);
    const size_t steps =
        settings["epochs"].get<size_t>() * ((settings["batch_size"].get<size_t>() - 1 + 6) / 2);
    const auto* plots = page->findChild<TrainingPlots*>();
    if (qEnvironmentVariableIsEmpty("SPD_TOUR_PROMPTS"))
        QTRY_COMPARE_WITH_TIMEOUT(plots->curves().points().size(), steps, kPatience);
    QVERIFY(plots->curves().points().back().loss > 0);
    picture(Stage::training, "training");
}

/// Base twice is the same text; the projection and the adapter are what the engine says they are.
void tst_Tour::panesStandSideBySide() {
    PreviewPage* page = first_->window.pages().preview;
    page->setPrompt(
        QStringLiteral("Question: A farmer sells 3 baskets of 12 eggs. How many eggs are that?\nAnswer:"));
    for (auto* button : page->findChildren<QPushButton*>())
        if (button->text() == QStringLiteral("More")) {
            button->click();
            button->click();
        }
    page->findChildren<PreviewPane*>()[2]->setChoice({.kind = PaneChoice::Kind::adapter});
    Q_EMIT page->runWanted();
    const auto& panes = page->values().panes();
    QTRY_VERIFY_WITH_TIMEOUT(panes.size() == 4 && !panes[0].finish.isEmpty() && !panes[1].finish.isEmpty() &&
                                 !panes[2].finish.isEmpty() && !panes[3].finish.isEmpty(),
                             kPatience);
    QVERIFY(!firstDivergence(panes[3], panes[0]) && panes[3].tokens.size() == panes[0].tokens.size());
    for (const PreviewToken& token : panes[0].tokens)
        QVERIFY(token.kl_to_base < 1e-6 && !token.top.isEmpty());
    QVERIFY2(first_->window.width() <= 1280, "four panes fit");
    QVERIFY(panes[1].intervention != panes[0].intervention && panes[2].intervention != panes[1].intervention);
    picture(Stage::preview, "preview");
}

void tst_Tour::theRunIsFound() {
    RunsPage* page = first_->window.pages().runs;
    const auto* model = page->findChild<RunsModel*>();
    QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), 1, kPatience);
    QCOMPARE(model->rows()[0].name, first_->workbench.draft().name);
    QTRY_COMPARE_WITH_TIMEOUT(model->rows()[0].status, QStringLiteral("FINISHED"), kPatience);
    for (auto* table : page->findChildren<QTableView*>())
        if (table->accessibleName() == QStringLiteral("Runs"))
            table->selectRow(0);
    QCOMPARE(page->selectedRuns().size(), 1);
    auto* curves = page->findChild<Plot*>();
    QTRY_VERIFY_WITH_TIMEOUT(curves->curves().size() == 1 && curves->curves()[0].x.size() > 1, kPatience);
    picture(Stage::runs, "runs");
}

/// It comes when all is over, and shows the curve from its first point on.
void tst_Tour::aSecondWindowSeesTheSame() {
    open(second_, QStringLiteral("second.ini"));
    QTRY_COMPARE_WITH_TIMEOUT(second_->workbench.jobs().rowCount(), 4, kPatience);
    const QString run = first_->workbench.draft().name;
    second_->workbench.changeDraft([&](RunDraft& draft) { draft.name = run; });
    const auto* plots = second_->window.pages().training->findChild<TrainingPlots*>();
    const auto* mine = first_->window.pages().training->findChild<TrainingPlots*>();
    QTRY_COMPARE_WITH_TIMEOUT(plots->curves().points().size(), mine->curves().points().size(), kPatience);
    QCOMPARE(plots->curves().points().back().loss, mine->curves().points().back().loss);
    std::printf("measured: from nothing to a trained adapter through every page %.1f s\n",
                static_cast<double>(timer_.elapsed()) / 1000);
}

void tst_Tour::cleanupTestCase() {
    second_.reset();
    if (first_)
        first_->workbench.client().request(QStringLiteral("shutdown"), ordered_json::object(), this,
                                           [](const ordered_json&) {});
    QTest::qWait(500);
    first_.reset();
}

QTEST_MAIN(tst_Tour)
#include "tst_tour.moc"
