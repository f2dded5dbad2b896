"""Payments: transactions with what belongs to them, settlements, and what a payment's request remembers.

Revision: 0002. Revises: 0001.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables and the columns."""
    _transaction()
    _note()
    _signature()
    _settlement()
    _level3()
    op.add_column("request", sa.Column("details", sa.Text(), nullable=True))
    op.add_column("request", sa.Column("transaction_id", sa.BigInteger(), nullable=True))
    op.add_column("request", sa.Column("approved", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Drops them."""
    op.drop_column("request", "approved")
    op.drop_column("request", "transaction_id")
    op.drop_column("request", "details")
    op.drop_table("level3")
    op.drop_table("settlement")
    op.drop_table("signature")
    op.drop_table("note")
    op.drop_table("transaction")


def _transaction() -> None:
    op.create_table(
        "transaction",
        *_identity(),
        *_amounts(),
        *_facts(),
        *_decision(),
        *_life(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transaction")),
        sa.UniqueConstraint("request_id", name=op.f("uq_transaction_request_id")),
        sqlite_autoincrement=True,
    )
    due, unsettled = sa.text("due IS NOT NULL"), sa.text("settlement_id IS NULL")
    op.create_index("ix_transaction_due", "transaction", ["due"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_transaction_fingerprint_created", "transaction", ["fingerprint", "created"])
    op.create_index("ix_transaction_merchant_id_id", "transaction", ["merchant_id", "id"])
    op.create_index("ix_transaction_settlement_id", "transaction", ["settlement_id"])
    op.create_index(
        "ix_transaction_unsettled",
        "transaction",
        ["merchant_id", "terminal_id", "modified"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )


def _identity() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
    ]


def _amounts() -> list[sa.Column[Any]]:
    parts = ("base", "tax", "shipping", "tip", "surcharge", "surcharge_tax", "freight", "reject", "total")
    return [
        *(sa.Column(f"amount_{part}", sa.BigInteger(), nullable=False) for part in parts),
        sa.Column("intended", sa.BigInteger(), nullable=False),
        sa.Column("authorized", sa.BigInteger(), nullable=False),
        sa.Column("surcharge_rate", sa.Integer(), nullable=True),
    ]


def _facts() -> list[sa.Column[Any]]:
    texts = ("invoice_number", "purchase_order_number", "billing", "shipping")
    searched = ("billing_first_name", "billing_last_name", "billing_identifier", "external_id", "external_data")
    return [
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=True),
        sa.Column("ach_type", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*texts, *searched)),
    ]


def _decision() -> list[sa.Column[Any]]:
    return [
        sa.Column("avs", sa.Text(), nullable=False),
        sa.Column("check_cvv", sa.Boolean(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("issuer_authorized", sa.Boolean(), nullable=True),
        sa.Column("approval_code", sa.Text(), nullable=True),
        sa.Column("zip_matches", sa.Boolean(), nullable=True),
        sa.Column("address_matches", sa.Boolean(), nullable=True),
        sa.Column("avs_checked", sa.Boolean(), nullable=True),
        sa.Column("cvv_status", sa.Text(), nullable=True),
        sa.Column("level3_eligible", sa.Boolean(), nullable=True),
    ]


def _life() -> list[sa.Column[Any]]:
    return [
        sa.Column("account_type", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("expiry", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("original_id", sa.BigInteger(), nullable=True),
        sa.Column("settlement_id", sa.BigInteger(), nullable=True),
        sa.Column("signed", sa.BigInteger(), nullable=True),
        sa.Column("receipt_email", sa.Text(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("intent_state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("sealed_card", sa.LargeBinary(), nullable=True),
    ]


def _note() -> None:
    op.create_table(
        "note",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["transaction_id"], ["transaction.id"], name=op.f("fk_note_transaction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_note_transaction_id"), "note", ["transaction_id"])


def _signature() -> None:
    op.create_table(
        "signature",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed_strokes", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["transaction_id"], ["transaction.id"], name=op.f("fk_signature_transaction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
    )
    op.create_index(op.f("ix_signature_transaction_id"), "signature", ["transaction_id"])


def _settlement() -> None:
    op.create_table(
        "settlement",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("breakdown", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_settlement_merchant_id_id", "settlement", ["merchant_id", "id"])


def _level3() -> None:
    op.create_table(
        "level3",
        sa.Column("transaction_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["transaction_id"], ["transaction.id"], name=op.f("fk_level3_transaction_id")),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_level3")),
    )
