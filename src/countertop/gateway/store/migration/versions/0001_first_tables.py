"""The first tables.

Revision: 0001. Revises: nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes them all."""
    _answer()
    _attempt()
    _delivery()
    _event()
    _merchant()
    _node()
    _pairing()
    _request()
    _application_key()
    _login()
    _smart_terminal()
    _terminal()
    _webhook()
    _connection()


def downgrade() -> None:
    """Drops them all."""
    op.drop_table("connection")
    op.drop_table("webhook")
    op.drop_table("terminal")
    op.drop_table("smart_terminal")
    op.drop_table("login")
    op.drop_table("application_key")
    op.drop_table("request")
    op.drop_table("pairing")
    op.drop_table("node")
    op.drop_table("merchant")
    op.drop_table("event")
    op.drop_table("delivery")
    op.drop_table("attempt")
    op.drop_table("answer")


def _answer() -> None:
    op.create_table(
        "answer",
        sa.Column("login_id", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("form_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("login_id", "key_hash", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_created"), "answer", ["created"], unique=False)


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", "webhook_id", "number", name=op.f("pk_attempt")),
        sqlite_with_rowid=False,
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "webhook_id", name=op.f("pk_delivery")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["due"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_index("ix_delivery_webhook_id_event_id", "delivery", ["webhook_id", "event_id"], unique=False)


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("sealed_result", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("subject_id", "sequence", name=op.f("uq_event_subject_id_sequence")),
        sqlite_with_rowid=False,
    )


def _merchant() -> None:
    op.create_table(
        "merchant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant")),
        sa.UniqueConstraint("name", name=op.f("uq_merchant_name")),
    )


def _node() -> None:
    op.create_table(
        "node",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )


def _pairing() -> None:
    op.create_table(
        "pairing",
        sa.Column("device_code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_code", sa.Text(), nullable=False),
        sa.Column("smart_terminal_id", sa.Text(), nullable=True),
        sa.Column("denied", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("polled", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_code_hash", name=op.f("pk_pairing")),
        sa.UniqueConstraint("user_code", name=op.f("uq_pairing_user_code")),
    )
    op.create_index(op.f("ix_pairing_expires"), "pairing", ["expires"], unique=False)


def _request() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("smart_terminal_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("request_deadline", sa.Integer(), nullable=False),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("sealed_result", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sqlite_with_rowid=False,
    )
    _request_indexes()


def _request_indexes() -> None:
    op.create_index(
        "ix_request_deadline",
        "request",
        ["deadline"],
        unique=False,
        sqlite_where=sa.text("deadline IS NOT NULL"),
        postgresql_where=sa.text("deadline IS NOT NULL"),
    )
    op.create_index(
        "ix_request_ended",
        "request",
        ["ended"],
        unique=False,
        sqlite_where=sa.text("ended IS NOT NULL"),
        postgresql_where=sa.text("ended IS NOT NULL"),
    )
    op.create_index(
        "uq_request_running",
        "request",
        ["smart_terminal_id"],
        unique=True,
        sqlite_where=sa.text("deadline IS NOT NULL"),
        postgresql_where=sa.text("deadline IS NOT NULL"),
    )


def _application_key() -> None:
    op.create_table(
        "application_key",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_application_key_merchant_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_application_key")),
    )


def _login() -> None:
    op.create_table(
        "login",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_login_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("login", name=op.f("uq_login_login")),
    )


def _smart_terminal() -> None:
    op.create_table(
        "smart_terminal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("nick_name", sa.Text(), nullable=False),
        sa.Column("serial_number", sa.Text(), nullable=False),
        sa.Column("request_deadline", sa.Integer(), nullable=True),
        sa.Column("virtual", sa.Boolean(), nullable=False),
        sa.Column("sealed_autopilot", sa.LargeBinary(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_smart_terminal_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_smart_terminal")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_smart_terminal_token_hash")),
    )
    op.create_index(op.f("ix_smart_terminal_merchant_id"), "smart_terminal", ["merchant_id"], unique=False)


def _terminal() -> None:
    op.create_table(
        "terminal",
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("nick_name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("level3", sa.Boolean(), nullable=False),
        sa.Column("company_dba", sa.Text(), nullable=False),
        sa.Column("company_legal", sa.Text(), nullable=False),
        sa.Column("merchant_number", sa.Text(), nullable=False),
        sa.Column("surcharge_rate", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_terminal_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "terminal_id", name=op.f("pk_terminal")),
        sa.UniqueConstraint("account_id", name=op.f("uq_terminal_account_id")),
    )


def _webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_webhook_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index("ix_webhook_merchant_id_event", "webhook", ["merchant_id", "event"], unique=False)


def _connection() -> None:
    op.create_table(
        "connection",
        sa.Column("smart_terminal_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=True),
        sa.Column("screen", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["smart_terminal_id"], ["smart_terminal.id"], name=op.f("fk_connection_smart_terminal_id")),
        sa.PrimaryKeyConstraint("smart_terminal_id", name=op.f("pk_connection")),
    )
