"""Mail by SMTP. Without a mail server nothing is sent: development writes it to the log, production says so."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

import structlog

from datareplicator.server.settings import Settings

PATIENCE = 20.0
log = structlog.get_logger("datareplicator.mail")


@dataclass(frozen=True)
class Mail:
    """A mail: `link` is a part of the text of its own, so that a log can leave it out."""

    to: str
    subject: str
    text: str
    link: str = ""

    @property
    def body(self) -> str:
        """All of the text."""
        return "\n\n".join(part for part in (self.text, self.link, "DataReplicator") if part) + "\n"


def can_send(settings: Settings) -> bool:
    """Whether a mail would get anywhere."""
    return settings.smtp_host is not None or settings.environment == "development"


async def send(settings: Settings, mail: Mail) -> bool:
    """Send a mail; whether the server took it. Failures are logged, not raised: mails go out after the answer."""
    if settings.smtp_host is None:
        if settings.environment == "development":
            # The link goes past the filters of the log: the log is the mailbox here.
            print(f"mail to {mail.to}: {mail.subject}\n{mail.body}", flush=True)  # noqa: T201
        else:
            log.warning("mail not sent: no SMTP host is set", subject=mail.subject)
        return False
    try:
        await asyncio.to_thread(_send, settings, mail)
    except (OSError, smtplib.SMTPException) as error:
        log.error("mail not sent", subject=mail.subject, error=type(error).__name__)
        return False
    log.info("mail sent", subject=mail.subject)
    return True


def _send(settings: Settings, mail: Mail) -> None:
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message.set_content(mail.body)
    host, port = settings.smtp_host or "", settings.smtp_port
    if settings.smtp_security == "tls":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
            server.login(settings.smtp_user, password)
        server.send_message(message)
