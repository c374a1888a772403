#pragma once

#include <QWidget>
#include <nlohmann/json.hpp>

#include "core/protocol/answers/inspection.h"
#include "core/protocol/answers/models.h"
#include "core/protocol/answers/token_texts.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;
class QStackedLayout;
class QTabWidget;
class QTimer;
class QToolButton;

namespace spd {

class EmptyPage;
class LoadReportModel;
class MemoryBars;
class ModelsModel;
class NoticeLine;
class TableView;
class TryMessages;
class TryText;

/// Find a model, see what is in it and whether it fits, try its tokenizer and template, use it. It gets
/// answers and tells wishes; a model is a text as MODEL takes it. GUI thread.
class ModelPage : public QWidget {
    Q_OBJECT

public:
    explicit ModelPage(QWidget* parent = nullptr);

    void setModels(protocol::ModelList list);
    void setLoaded(const std::optional<protocol::LoadedModel>& loaded);
    /// The model of the run; empty: none yet.
    void setChosen(const QString& model);
    /// No engine: the page says what to do.
    void clear();

    // Answers. `model` is what was asked about; one that is no longer looked at is dropped.
    void setInspection(const QString& model, const protocol::ModelInspection& found);
    /// @param command  downloads it, where it is not there and has a name; else empty
    void setInspectionFailure(const QString& model, const QString& message, const QStringList& details,
                              const QString& command = {});
    void setTokens(const QString& model, const protocol::TokenizedText& answer);
    void setTokensFailure(const QString& message, const QStringList& details);
    void setRendered(const QString& model, const protocol::RenderedMessages& answer);
    void setRenderFailure(const QString& message, const QStringList& details);

    /// The one that is looked at.
    QString model() const { return model_; }
    /// Asks for its load report. Does not choose it.
    void lookAt(const QString& model);

Q_SIGNALS:
    void firstStepWanted();  ///< the button of the empty page
    void modelChosen(const QString& model);
    void inspectWanted(const QString& model, int context, const QString& dtype);  ///< dtype empty: its own
    void tokenizeWanted(const QString& model, const QString& text);
    void renderWanted(const QString& model, const nlohmann::ordered_json& messages,
                      bool add_generation_prompt);
    void folderDropped(const QString& path);
    void folderWanted();  ///< the button that lets one look through the engine's folders
    void refreshWanted();
    void unloadWanted();

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    QWidget* makeContent();
    QLayout* makeFinder();
    QWidget* makeList();
    QWidget* makeDetails();
    QWidget* makeReport();
    QWidget* makeMemory();
    void wire();
    void askAgain();
    void showUse();

    QString model_;
    QString chosen_;
    bool loads_ = false;

    QStackedLayout* stack_;
    EmptyPage* empty_;
    QLineEdit* name_;
    QToolButton* refresh_;
    QPushButton* folder_;
    QLabel* loaded_;
    QToolButton* unload_;
    QLineEdit* search_;
    ModelsModel* models_;
    TableView* list_;
    QLabel* places_;
    NoticeLine* notice_;
    QLabel* summary_;
    QPushButton* use_;
    QTabWidget* tabs_;
    LoadReportModel* report_;
    TableView* report_table_;
    QSpinBox* context_;
    QComboBox* dtype_;
    MemoryBars* bars_;
    QLabel* verdict_;
    TryText* try_text_;
    TryMessages* try_messages_;
    QTimer* soon_;
};

}  // namespace spd
