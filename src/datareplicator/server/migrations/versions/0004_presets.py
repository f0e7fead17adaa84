"""Presets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from datareplicator.server.migrations import kinds

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preset",
        kinds.project(),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("document", kinds.JSON, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        kinds.moment("updated_at"),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_preset_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_preset_project_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preset")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_preset_project_id_name")),
    )


def downgrade() -> None:
    op.drop_table("preset")
