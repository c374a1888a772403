#pragma once

#include <QString>
#include <functional>
#include <nlohmann/json.hpp>

class QWidget;

namespace spd {

class CalibrationPage;
class CorpusPage;
class ModelPage;
class PreviewPage;
class RunsPage;
class SubspacePage;
class TrainingPage;
class Workbench;
struct RunDraft;

// Each connects the signals of a page with requests to the engine, and what comes with the page. The page and
// the workbench must outlive each other's connections: both live as long as the window.

void connectModelPage(ModelPage& page, Workbench& workbench);
void connectCalibrationPage(CalibrationPage& page, Workbench& workbench);
void connectSubspacePage(SubspacePage& page, Workbench& workbench);
/// @param subspace  whose picks a pane with a projection uses
void connectPreviewPage(PreviewPage& page, SubspacePage& subspace, Workbench& workbench);
/// @param subspace  whose picks the generation uses
void connectCorpusPage(CorpusPage& page, SubspacePage& subspace, Workbench& workbench);
void connectTrainingPage(TrainingPage& page, Workbench& workbench);
void connectRunsPage(RunsPage& page, Workbench& workbench);

/// A chooser over `parent` that looks through the engine's folders.
void chooseOnEngine(Workbench& workbench, QWidget* parent, const QString& title, bool file,
                    std::function<void(const QString&)> on_chosen);

/// What was typed into a page's form, kept over a restart. @return null: nothing was kept
nlohmann::ordered_json keptForm(Workbench& workbench, const char* page);
void keepForm(Workbench& workbench, const char* page, const nlohmann::ordered_json& values);

/// The intervention options that the Subspace page has picked, as the jobs take them.
nlohmann::ordered_json interventionParams(const SubspacePage& page, const RunDraft& draft);

}  // namespace spd
