"""The tables. Migrations make them; a test holds the two against each other.

Instants are milliseconds since 1970 (`BigInteger`), ids lower-case UUID text, JSON is text that we write and read ourselves, and
`LargeBinary` columns named `sealed_…` are AES-256-GCM (`gateway.store.sealing`). No column holds a digit of a card unsealed.

Each index is paid for by every request, so there are few. Tables that grow keep their rows in the primary key's tree
(`sqlite_with_rowid=False`): ids are time-ordered, so that new rows all go to its end, and there is one tree less to change.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from countertop.domain.amount import Part

NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""A number that counts up by itself: SQLite does that with its `INTEGER` alone."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

merchant = Table(
    "merchant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
)

login = Table(
    "login",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),  # argon2id
    Column("created", BigInteger, nullable=False),
)

application_key = Table(
    "application_key",
    metadata,
    Column("key_hash", LargeBinary, primary_key=True),  # SHA-256
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("release", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

terminal = Table(  # a merchant account
    "terminal",
    metadata,
    Column("merchant_id", Text, ForeignKey("merchant.id"), primary_key=True),
    Column("terminal_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Text, nullable=False, unique=True),
    Column("nick_name", Text, nullable=False),
    Column("type", Text, nullable=False),  # CARD | ACH
    Column("enabled", Boolean, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("level3", Boolean, nullable=False),
    Column("company_dba", Text, nullable=False),
    Column("company_legal", Text, nullable=False),
    Column("merchant_number", Text, nullable=False),
    Column("surcharge_rate", Integer),  # in thousandths of a percent; NULL: not surcharge-enabled
)

smart_terminal = Table(  # a device
    "smart_terminal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False, index=True),
    Column("nick_name", Text, nullable=False),
    Column("serial_number", Text, nullable=False),
    Column("request_deadline", Integer),  # milliseconds; NULL: the server's setting
    Column("virtual", Boolean, nullable=False),
    Column("sealed_autopilot", LargeBinary),  # JSON, with the cards it swipes; only a test server looks at it
    Column("token_hash", LargeBinary, unique=True),  # SHA-256; NULL: not paired
    Column("created", BigInteger, nullable=False),
)

connection = Table(  # the one connection of a terminal; a row outlives its connection, as the memory of it
    "connection",
    metadata,
    Column("smart_terminal_id", Text, ForeignKey("smart_terminal.id"), primary_key=True),
    Column("connection_id", Text, nullable=False),
    Column("node_id", Text),  # NULL: disconnected
    Column("screen", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)

node = Table(  # running gateway nodes; one whose lease ran out is gone, and its terminals are offline
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    Column("leased_until", BigInteger, nullable=False),
)

request = Table(
    "request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, nullable=False),
    Column("smart_terminal_id", Text, nullable=False),
    Column("terminal_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("order", Text, nullable=False),  # JSON of domain.order
    Column("release", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("deadline", BigInteger),
    Column("request_deadline", Integer, nullable=False),  # milliseconds a shown request may take
    Column("extensions", Integer, nullable=False),
    Column("outcome", Text),
    Column("sealed_result", LargeBinary),
    Column("created", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("details", Text),  # JSON of domain.payment.PaymentDetails; payments only
    Column("transaction_id", BigInteger),  # once the card of a payment was taken
    Column("approved", Boolean),  # once the payment is decided
    # At most one running request a terminal. Its deadline is what tells a running request from an ended one.
    Index(
        "uq_request_running",
        "smart_terminal_id",
        unique=True,
        sqlite_where=text("deadline IS NOT NULL"),
        postgresql_where=text("deadline IS NOT NULL"),
    ),
    Index(
        "ix_request_deadline",
        "deadline",
        sqlite_where=text("deadline IS NOT NULL"),
        postgresql_where=text("deadline IS NOT NULL"),
    ),
    Index("ix_request_ended", "ended", sqlite_where=text("ended IS NOT NULL"), postgresql_where=text("ended IS NOT NULL")),
    sqlite_with_rowid=False,
)

event = Table(  # ids are time-ordered, so the primary key is also the order of creation
    "event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, nullable=False),
    Column("account_id", Text),
    Column("type", Text, nullable=False),
    Column("subject_id", Text, nullable=False),  # what it happened to; events of one subject are delivered in order
    Column("sequence", Integer, nullable=False),
    Column("release", Text, nullable=False),  # the release that shapes its bodies
    Column("data", Text, nullable=False),  # JSON, without a result
    Column("sealed_result", LargeBinary),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("subject_id", "sequence"),
    sqlite_with_rowid=False,
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, ForeignKey("merchant.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("sealed_secret", LargeBinary),
    Column("created", BigInteger, nullable=False),
    Index("ix_webhook_merchant_id_event", "merchant_id", "event"),
)

delivery = Table(  # the outbox: one row for each event that an endpoint is owed
    "delivery",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("webhook_id", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    # When it may be taken: the time of the next attempt; while a node has it in hand, the end of that lease;
    # `store.delivery.WAITING` while an earlier event of the same subject is still owed. NULL: acknowledged or given up.
    Column("due", BigInteger),
    Column("state", Text, nullable=False),  # PENDING | DELIVERED | GIVEN_UP
    Index(
        "ix_delivery_due",
        "due",
        sqlite_where=text("due IS NOT NULL"),
        postgresql_where=text("due IS NOT NULL"),
    ),
    Index("ix_delivery_webhook_id_event_id", "webhook_id", "event_id"),
    sqlite_with_rowid=False,
)

attempt = Table(
    "attempt",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("webhook_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started", BigInteger, nullable=False),
    Column("duration", Integer, nullable=False),  # milliseconds
    Column("status", Integer),  # NULL: no answer
    Column("failure", Text),  # why there was no answer
    Column("answer", LargeBinary),  # the first KiB of the answer's body
    sqlite_with_rowid=False,
)

answer = Table(  # what was answered to a POST with an Idempotency-Key
    "answer",
    metadata,
    Column("login_id", Text, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("form_hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
)

pairing = Table(  # device grants (RFC 8628) that wait for an operator
    "pairing",
    metadata,
    Column("device_code_hash", LargeBinary, primary_key=True),
    Column("user_code", Text, nullable=False, unique=True),
    Column("smart_terminal_id", Text),  # NULL: not confirmed yet
    Column("denied", Boolean, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
    Column("polled", BigInteger, nullable=False),
)

transaction = Table(
    "transaction",
    metadata,
    Column("id", NUMBER, primary_key=True),  # counts up; sent to the processor, so never used again
    Column("merchant_id", Text, nullable=False),
    Column("terminal_id", BigInteger, nullable=False),
    Column("request_id", Text, unique=True),  # one terminal's request charges once; NULL: made by the API
    Column("release", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("status", Text, nullable=False),  # HOLD until it is decided
    Column("wanted", Text, nullable=False),  # the status it has if it is approved
    *(Column(f"amount_{part}", BigInteger, nullable=False) for part in Part),  # cents
    Column("amount_total", BigInteger, nullable=False),  # the sum of the parts
    Column("intended", BigInteger, nullable=False),  # the total as it was made, whatever was edited since
    Column("authorized", BigInteger, nullable=False),  # how much the processor has said yes to
    Column("surcharge_rate", Integer),
    Column("method", Text, nullable=False),  # domain.card.Entry, or INSTANT: with the payer of an earlier transaction
    Column("service", Text, nullable=False),
    Column("network", Text),
    Column("ach_type", Text),
    Column("invoice_number", Text, nullable=False),
    Column("purchase_order_number", Text, nullable=False),
    Column("billing", Text, nullable=False),  # JSON of domain.contact
    Column("shipping", Text, nullable=False),
    Column("billing_first_name", Text, nullable=False),  # out of `billing`, to be searched for
    Column("billing_last_name", Text, nullable=False),
    Column("billing_identifier", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("external_data", Text, nullable=False),
    Column("avs", Text, nullable=False),  # what was asked for
    Column("check_cvv", Boolean, nullable=False),
    Column("code", Text),  # NULL: not decided yet
    Column("issuer_authorized", Boolean),
    Column("approval_code", Text),
    Column("zip_matches", Boolean),
    Column("address_matches", Boolean),
    Column("avs_checked", Boolean),
    Column("cvv_status", Text),
    Column("level3_eligible", Boolean),
    Column("account_type", Text, nullable=False),  # a card's brand, or CHECKING | SAVINGS
    Column("last_four", Text, nullable=False),
    Column("expiry", Text),  # YYYY-MM; NULL: a bank account
    Column("fingerprint", LargeBinary, nullable=False),  # keyed; tells equal cards
    Column("original_id", BigInteger),  # the transaction that this one gives back, or whose payer it uses
    Column("settlement_id", BigInteger),  # the batch in which it was counted
    Column("signed", BigInteger),  # when it was last signed
    Column("receipt_email", Text),  # where the customer wanted the receipt sent
    Column("sequence", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    # What the processor is still owed: domain and states in `store.intent`.
    Column("intent_state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", BigInteger),  # when it may be taken in hand; NULL: nothing is owed
    Column("sealed_card", LargeBinary),  # the card sealed to its processor, sealed again; NULL once it was asked
    Index("ix_transaction_due", "due", sqlite_where=text("due IS NOT NULL"), postgresql_where=text("due IS NOT NULL")),
    Index("ix_transaction_merchant_id_id", "merchant_id", "id"),
    Index("ix_transaction_fingerprint_created", "fingerprint", "created"),
    Index("ix_transaction_settlement_id", "settlement_id"),
    Index(
        "ix_transaction_unsettled",
        "merchant_id",
        "terminal_id",
        "modified",
        sqlite_where=text("settlement_id IS NULL"),
        postgresql_where=text("settlement_id IS NULL"),
    ),
    sqlite_autoincrement=True,
)

note = Table(
    "note",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("transaction_id", BigInteger, ForeignKey("transaction.id"), nullable=False, index=True),
    Column("note", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

signature = Table(  # a signed receipt
    "signature",
    metadata,
    Column("id", Text, primary_key=True),
    Column("transaction_id", BigInteger, ForeignKey("transaction.id"), nullable=False, index=True),
    Column("sealed_strokes", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("address", Text, nullable=False),  # where the signer was, an IP address; empty at a terminal
    Column("total", BigInteger, nullable=False),  # what was signed for, in cents
    Column("created", BigInteger, nullable=False),
)

settlement = Table(
    "settlement",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("merchant_id", Text, nullable=False),
    Column("terminal_id", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("net", BigInteger, nullable=False),  # cents, negative if more was given back than taken
    Column("breakdown", Text, nullable=False),  # JSON: lines of domain.settlement
    Index("ix_settlement_merchant_id_id", "merchant_id", "id"),
    sqlite_autoincrement=True,
)

level3 = Table(
    "level3",
    metadata,
    Column("transaction_id", BigInteger, ForeignKey("transaction.id"), primary_key=True, autoincrement=False),
    Column("data", Text, nullable=False),  # JSON of domain.level3
)

mail = Table(  # the outbox of receipts: one row for each address that one is owed to
    "mail",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant_id", Text, nullable=False),
    Column("transaction_id", BigInteger, nullable=False),
    Column("to", Text, nullable=False),
    Column("reply_to", Text, nullable=False),
    Column("asks", Boolean, nullable=False),  # for a signature, if there is none yet
    Column("attempts", Integer, nullable=False),
    # When it may be taken: the time of the next attempt; while a node has it in hand, the end of that lease.
    # NULL: sent or given up.
    Column("due", BigInteger),
    Column("state", Text, nullable=False),  # PENDING | SENT | GIVEN_UP
    Column("failure", Text),  # why the latest attempt failed
    Column("created", BigInteger, nullable=False),
    Index("ix_mail_due", "due", sqlite_where=text("due IS NOT NULL"), postgresql_where=text("due IS NOT NULL")),
    sqlite_with_rowid=False,
)
