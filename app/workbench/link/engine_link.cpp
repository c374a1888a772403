#include "app/workbench/link/engine_link.h"

#include <QTimer>
#include <iterator>
#include <utility>

namespace spd {

namespace {

constexpr qint64 kPieceBytes = 1 << 20;
constexpr qsizetype kKeptErrorBytes = 64 << 10;
constexpr int kPatienceMilliseconds = 500;  // for a child that was asked to end

QString lastLine(const QByteArray& text) {
    const QByteArray trimmed = text.trimmed();
    const QByteArray line = trimmed.mid(trimmed.lastIndexOf('\n') + 1);
    return QString::fromStdString(printable({line.constData(), static_cast<size_t>(line.size())}, 500));
}

void parseInto(EngineLink::Taken& taken, const protocol::LineSplitter::Line& line) {
    if (line.too_long) {
        ++taken.refused;
        taken.why_refused = QStringLiteral("a line above 64 MiB was dropped");
        return;
    }
    if (line.text.empty() || line.text == "\r")
        return;
    try {
        taken.messages.push_back(protocol::parseMessage(line.text, protocol::kMaxReplyBytes));
    } catch (const std::exception& error) {  // a Refusal, or no memory for the answer
        ++taken.refused;
        taken.why_refused = QString::fromStdString(error.what());
    }
}

}  // namespace

EngineLink::~EngineLink() {
    if (process_ == nullptr || process_->state() == QProcess::NotRunning)
        return;
    process_->disconnect(this);
    process_->closeWriteChannel();  // spd-attach ends at that
    if (!process_->waitForFinished(kPatienceMilliseconds)) {
        process_->kill();
        process_->waitForFinished(kPatienceMilliseconds);
    }
}

EngineLink::Taken EngineLink::take() {
    const std::lock_guard lock(mutex_);
    told_ = false;
    return std::exchange(waiting_, {});
}

qint64 EngineLink::silentFor() const {
    const std::lock_guard lock(mutex_);
    return parsing_ || !heard_.isValid() ? 0 : heard_.elapsed();
}

void EngineLink::start(const QStringList& command) {
    process_ = new QProcess(this);
    connect(process_, &QProcess::readyReadStandardOutput, this, &EngineLink::read);
    connect(process_, &QProcess::readyReadStandardError, this, &EngineLink::readErrors);
    connect(process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            finish({.last_words = process_->errorString()});
    });
    connect(process_, &QProcess::finished, this, [this](int code, QProcess::ExitStatus status) {
        read();
        readErrors();
        finish({.started = true,
                .crashed = status == QProcess::CrashExit,
                .code = code,
                .last_words = lastLine(errors_)});
    });
    // Output that ends while the child lives: nothing more can come, so it is of no use.
    connect(process_, &QProcess::readChannelFinished, this,
            [this] { QTimer::singleShot(kPatienceMilliseconds, this, [this] { stop(); }); });
    {
        const std::lock_guard lock(mutex_);
        heard_.start();
    }
    process_->start(command.value(0), command.mid(1));
}

void EngineLink::write(const QByteArray& line) {
    if (process_ != nullptr && process_->state() != QProcess::NotRunning)
        process_->write(line);
}

void EngineLink::stop() {
    if (process_ == nullptr || process_->state() == QProcess::NotRunning)
        return;
    process_->closeWriteChannel();
    QTimer::singleShot(kPatienceMilliseconds, process_, &QProcess::kill);
}

void EngineLink::read() {
    while (process_->bytesAvailable() > 0) {
        parsing_ = true;
        const QByteArray piece = process_->read(kPieceBytes);
        lines_.append({piece.constData(), static_cast<size_t>(piece.size())});
        Taken taken;
        while (const auto line = lines_.next())
            parseInto(taken, *line);
        deliver(std::move(taken));
    }
}

void EngineLink::deliver(Taken&& taken) {
    bool tell = false;
    {
        const std::lock_guard lock(mutex_);
        heard_.start();
        parsing_ = false;
        std::move(taken.messages.begin(), taken.messages.end(), std::back_inserter(waiting_.messages));
        waiting_.refused += taken.refused;
        if (taken.refused > 0)
            waiting_.why_refused = taken.why_refused;
        if (!waiting_.messages.empty() || waiting_.refused > 0)
            tell = !std::exchange(told_, true);
    }
    if (tell)
        Q_EMIT arrived();
}

void EngineLink::readErrors() {
    errors_ += process_->readAllStandardError();
    if (errors_.size() > kKeptErrorBytes)
        errors_ = errors_.right(kKeptErrorBytes);
}

void EngineLink::finish(const LinkEnd& end) {
    if (!std::exchange(finished_, true))
        Q_EMIT ended(end);
}

}  // namespace spd
