"""Targets and pushes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from datareplicator.server.migrations import kinds

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "target",
        kinds.project(),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("options", kinds.JSON, nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_target_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_target_project_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
    )
    op.create_index(op.f("ix_target_project_id"), "target", ["project_id"], unique=False)
    op.create_table(
        "push",
        kinds.project(),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_push_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_push_job_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_push_project_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_push_run_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(["target_id"], ["target.id"], name=op.f("fk_push_target_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push")),
    )
    op.create_index(op.f("ix_push_project_id"), "push", ["project_id"], unique=False)
    op.create_index(op.f("ix_push_run_id"), "push", ["run_id"], unique=False)
    op.create_index(op.f("ix_push_target_id"), "push", ["target_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_push_target_id"), table_name="push")
    op.drop_index(op.f("ix_push_run_id"), table_name="push")
    op.drop_index(op.f("ix_push_project_id"), table_name="push")
    op.drop_table("push")
    op.drop_index(op.f("ix_target_project_id"), table_name="target")
    op.drop_table("target")
