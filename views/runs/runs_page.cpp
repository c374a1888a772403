#include "views/runs/runs_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedLayout>
#include <QTableView>

#include "views/runs/runs_models.h"
#include "views/shared/empty_page.h"
#include "views/shared/plot/plot.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

const QString kLossKey = QStringLiteral("train/loss");

EmptyPage::Words emptyWords() {
    return {.title = RunsPage::tr("Runs"),
            .purpose = RunsPage::tr(
                "Everything that was done in this workspace: settings, curves, artifacts, scores. Compare "
                "runs, tag them, put them away."),
            .first_step = RunsPage::tr(
                "Nothing was recorded yet: a calibration, a corpus or a training appears here when it "
                "ends."),
            .button = RunsPage::tr("Look again")};
}

Role roleOf(const QString& method) {
    if (method == QStringLiteral("psr"))
        return Role::psr;
    if (method == QStringLiteral("ssd"))
        return Role::ssd;
    return method == QStringLiteral("base") ? Role::base : Role::spd;
}

void dress(QTableView& table, const QString& accessible_name) {
    table.setSelectionBehavior(QAbstractItemView::SelectRows);
    table.setShowGrid(false);
    table.setAlternatingRowColors(true);
    table.setWordWrap(false);
    table.verticalHeader()->hide();
    table.verticalHeader()->setDefaultSectionSize(table.fontMetrics().height() + kGrid);
    table.setAccessibleName(accessible_name);
}

}  // namespace

RunsPage::RunsPage(QWidget* parent)
    : QWidget(parent),
      model_(new RunsModel(this)),
      filtered_(new QSortFilterProxyModel(this)),
      differences_(new DifferencesModel(this)),
      stack_(new QStackedLayout(this)),
      empty_(new EmptyPage(emptyWords())),
      search_(new QLineEdit),
      trash_(new QPushButton(tr("Trash"))),
      table_(new QTableView),
      differences_table_(new QTableView),
      hint_(new QLabel),
      key_(new QComboBox),
      curves_(new Plot(tr("Curves"))),
      tag_(new QPushButton(tr("Tag..."))),
      note_(new QPushButton(tr("Note..."))),
      remove_(new QPushButton(tr("Put away"))) {
    auto* lower = new QSplitter(Qt::Horizontal);
    auto* left = new QWidget;
    auto* left_layout = new QVBoxLayout(left);
    left_layout->setContentsMargins(0, 0, 0, 0);
    left_layout->addWidget(hint_);
    left_layout->addWidget(differences_table_, 1);
    lower->addWidget(left);
    lower->addWidget(curves_);
    lower->setChildrenCollapsible(false);
    auto* both = new QSplitter(Qt::Vertical);
    both->addWidget(makeTable());
    both->addWidget(lower);
    both->setChildrenCollapsible(false);
    both->setSizes({300, 260});
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->addWidget(both);
    stack_->addWidget(empty_);
    stack_->addWidget(content);
    wire();
    onSelection();
}

QWidget* RunsPage::makeTable() {
    filtered_->setSourceModel(model_);
    filtered_->setSortRole(Qt::UserRole);
    filtered_->setFilterKeyColumn(-1);
    filtered_->setFilterCaseSensitivity(Qt::CaseInsensitive);
    table_->setModel(filtered_);
    table_->setSortingEnabled(true);
    table_->sortByColumn(RunsModel::started, Qt::DescendingOrder);
    table_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    table_->horizontalHeader()->setStretchLastSection(true);
    dress(*table_, tr("Runs"));
    differences_table_->setModel(differences_);
    dress(*differences_table_, tr("What differs between the selected runs"));
    search_->setPlaceholderText(tr("Search names, methods, tags, notes"));
    search_->setClearButtonEnabled(true);
    trash_->setCheckable(true);
    trash_->setToolTip(tr("Show the runs that were put away; they can be brought back"));
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    auto* row = new QHBoxLayout;
    row->addWidget(search_, 1);
    row->addWidget(trash_);
    layout->addLayout(row);
    layout->addWidget(table_, 1);
    layout->addWidget(makeActions());
    return widget;
}

QWidget* RunsPage::makeActions() {
    tag_->setToolTip(tr("A word, or KEY=VALUE, by which the run is found. spd runs tag"));
    note_->setToolTip(tr("What should be remembered of this run. spd runs note"));
    auto* widget = new QWidget;
    auto* row = new QHBoxLayout(widget);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    row->addWidget(tag_);
    row->addWidget(note_);
    row->addWidget(remove_);
    row->addStretch(1);
    key_->setAccessibleName(tr("Curve that is shown"));
    key_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    curves_->tools()->addWidget(key_);
    curves_->setAxes(tr("step"), QString());
    curves_->setWholeX();
    return widget;
}

void RunsPage::wire() {
    connect(empty_, &EmptyPage::clicked, this, [this] { Q_EMIT refreshWanted(trash_->isChecked()); });
    connect(search_, &QLineEdit::textChanged, filtered_, &QSortFilterProxyModel::setFilterFixedString);
    connect(trash_, &QPushButton::toggled, this, &RunsPage::refreshWanted);
    connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &RunsPage::onSelection);
    connect(key_, &QComboBox::activated, this,
            [this] { Q_EMIT curvesWanted(selectedRuns(), key_->currentText()); });
    connect(tag_, &QPushButton::clicked, this, &RunsPage::askTag);
    connect(note_, &QPushButton::clicked, this, &RunsPage::askNote);
    connect(remove_, &QPushButton::clicked, this, [this] {
        if (const auto run = current(); run && run->deleted)
            Q_EMIT restoreWanted(run->id);
        else if (run)
            Q_EMIT deleteWanted(run->id);
    });
}

void RunsPage::setRuns(std::vector<RunRow> rows) {
    const bool was_empty = model_->rowCount() == 0;
    const QStringList selected = selectedRuns();
    stack_->setCurrentIndex(rows.empty() && !trash_->isChecked() ? 0 : 1);
    model_->setRows(std::move(rows));
    if (was_empty)
        table_->resizeColumnsToContents();
    for (int i = 0; i < model_->rowCount(); ++i)
        if (selected.contains(model_->rows()[static_cast<size_t>(i)].id))
            table_->selectionModel()->select(filtered_->mapFromSource(model_->index(i, 0)),
                                             QItemSelectionModel::Select | QItemSelectionModel::Rows);
    onSelection();
}

void RunsPage::clear() {
    model_->setRows({});
    stack_->setCurrentIndex(0);
    onSelection();
}

QStringList RunsPage::selectedRuns() const {
    QStringList ids;
    for (const QModelIndex& index : table_->selectionModel()->selectedRows())
        ids << model_->rows()[static_cast<size_t>(filtered_->mapToSource(index).row())].id;
    return ids;
}

/// A copy: while a dialog asks, the engine may send the rows anew.
std::optional<RunRow> RunsPage::current() const {
    const QStringList ids = selectedRuns();
    if (ids.size() != 1)
        return std::nullopt;
    for (const RunRow& row : model_->rows())
        if (row.id == ids.front())
            return row;
    return std::nullopt;
}

void RunsPage::onSelection() {
    const QStringList ids = selectedRuns();
    const std::optional<RunRow> one = current();
    for (QPushButton* button : {tag_, note_, remove_})
        button->setEnabled(one.has_value());
    remove_->setText(one && one->deleted ? tr("Bring back") : tr("Put away"));
    remove_->setToolTip(
        one && one->status == QStringLiteral("RUNNING")
            ? tr("It is running: stop it first")
            : tr("Into the trash folder, from which it can be brought back. spd runs delete"));
    hint_->setText(ids.size() < 2 ? tr("Pick two or more runs to see what differs.") : QString());
    hint_->setVisible(ids.size() < 2);
    differences_->setDifferences({});
    metrics_ = nullptr;
    showKey();
    if (ids.size() >= 2)
        Q_EMIT comparisonWanted(ids);
    if (!ids.isEmpty())
        Q_EMIT curvesWanted(ids, key_->currentText().isEmpty() ? kLossKey : key_->currentText());
}

void RunsPage::setDifferences(const QStringList& ids, RunDifferences differences) {
    if (ids != selectedRuns())
        return;
    differences_->setDifferences(std::move(differences));
    differences_table_->resizeColumnsToContents();
}

void RunsPage::setCurves(const QStringList& ids, const QString& key, const nlohmann::ordered_json& metrics) {
    if (ids != selectedRuns())
        return;
    metrics_ = metrics;
    const QStringList keys = curveKeys(metrics_);
    key_->clear();
    key_->addItems(keys);
    key_->setCurrentText(key);
    if (!keys.isEmpty() && !keys.contains(key)) {
        key_->setCurrentIndex(0);
        Q_EMIT curvesWanted(ids, keys.front());
        return;
    }
    showKey();
}

void RunsPage::showKey() {
    std::vector<Curve> curves;
    for (const RunCurve& run : runCurves(metrics_, key_->currentText())) {
        QString name = run.run, method;
        for (const RunRow& row : model_->rows())
            if (row.id == run.run)
                name = row.name, method = row.method;
        curves.push_back({.name = name,
                          .x = run.x,
                          .y = run.y,
                          .role = roleOf(method),
                          .target = Target::k,
                          .shade = 0.12 * static_cast<double>(curves.size() % 5),
                          .points = run.x.size() < 30});
    }
    curves_->setCurves(std::move(curves));
}

void RunsPage::askTag() {
    const std::optional<RunRow> run = current();
    if (!run)
        return;
    bool given = false;
    const QString text = QInputDialog::getText(this, tr("Tag %1").arg(run->name), tr("A word, or KEY=VALUE:"),
                                               QLineEdit::Normal, {}, &given)
                             .trimmed();
    if (given && !text.isEmpty())
        Q_EMIT tagWanted(run->id, text.section(u'=', 0, 0), text.section(u'=', 1));
}

void RunsPage::askNote() {
    const std::optional<RunRow> run = current();
    if (!run)
        return;
    bool given = false;
    const QString text = QInputDialog::getMultiLineText(this, tr("Note on %1").arg(run->name),
                                                        tr("What should be remembered:"), run->note, &given);
    if (given)
        Q_EMIT noteWanted(run->id, text);
}

}  // namespace spd
