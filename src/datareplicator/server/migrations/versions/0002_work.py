"""Datasets, jobs, models, runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from datareplicator.server.migrations import kinds

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deletion",
        sa.Column("prefix", sa.String(length=300), nullable=False),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletion")),
    )
    op.create_table(
        "dataset",
        kinds.project(),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        kinds.moment("updated_at"),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_dataset_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_dataset_project_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
    )
    op.create_index(op.f("ix_dataset_project_id"), "dataset", ["project_id"], unique=False)
    op.create_table(
        "job",
        kinds.identity(),
        kinds.project(),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("queue", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("request", kinds.JSON, nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("at_once", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=128), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        kinds.moment("created_at"),
        kinds.moment("started_at", nullable=True),
        kinds.moment("finished_at", nullable=True),
        sa.Column("progress", kinds.JSON, nullable=False),
        sa.Column("result", kinds.JSON, nullable=True),
        sa.Column("error", kinds.JSON, nullable=True),
        sa.Column("cache", sa.String(length=8), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        sa.Column("peak_mb", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["after_id"], ["job.id"], name=op.f("fk_job_after_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_job_project_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_job_user_id"), ondelete="set null"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_after_id"), "job", ["after_id"], unique=False)
    op.create_index("ix_job_claim", "job", ["queue", "state", "priority", "created_at"], unique=False)
    op.create_index(op.f("ix_job_project_id"), "job", ["project_id"], unique=False)
    op.create_index(op.f("ix_job_subject_id"), "job", ["subject_id"], unique=False)
    op.create_table(
        "result",
        kinds.project(),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("summary", kinds.JSON, nullable=False),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_result_project_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result")),
    )
    op.create_index("ix_result_lookup", "result", ["project_id", "kind", "key"], unique=False)
    op.create_table(
        "dataset_version",
        kinds.project(),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("summary", kinds.JSON, nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_dataset_version_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_dataset_version_dataset_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_dataset_version_job_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_dataset_version_project_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_dataset_version_result_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_version")),
        sa.UniqueConstraint("dataset_id", "number", name=op.f("uq_dataset_version_dataset_id_number")),
    )
    op.create_index(op.f("ix_dataset_version_project_id"), "dataset_version", ["project_id"], unique=False)
    op.create_index(op.f("ix_dataset_version_result_id"), "dataset_version", ["result_id"], unique=False)
    op.create_table(
        "job_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        kinds.moment("at"),
        sa.Column("content", kinds.JSON, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_event_job_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_event")),
        sa.UniqueConstraint("job_id", "number", name=op.f("uq_job_event_job_id_number")),
    )
    op.create_table(
        "result_file",
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["result_id"], ["result.id"], name=op.f("fk_result_file_result_id"), ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("result_id", "name", name=op.f("pk_result_file")),
    )
    op.create_table(
        "stored_file",
        kinds.project(),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_stored_file_dataset_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_stored_file_project_id"), ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
    )
    op.create_index(op.f("ix_stored_file_dataset_id"), "stored_file", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_stored_file_project_id"), "stored_file", ["project_id"], unique=False)
    op.create_table(
        "upload",
        kinds.project(),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("parts", kinds.JSON, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        kinds.moment("expires_at"),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_upload_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_upload_dataset_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_upload_project_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_dataset_id"), "upload", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_upload_project_id"), "upload", ["project_id"], unique=False)
    op.create_table(
        "analysis",
        kinds.project(),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_analysis_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_analysis_job_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_analysis_project_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_analysis_result_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_version.id"], name=op.f("fk_analysis_version_id"), ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analysis")),
    )
    op.create_index(op.f("ix_analysis_project_id"), "analysis", ["project_id"], unique=False)
    op.create_index(op.f("ix_analysis_result_id"), "analysis", ["result_id"], unique=False)
    op.create_index(op.f("ix_analysis_version_id"), "analysis", ["version_id"], unique=False)
    op.create_table(
        "model",
        kinds.project(),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("request", kinds.JSON, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_model_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_model_job_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_model_project_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_model_result_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_version.id"], name=op.f("fk_model_version_id"), ondelete="set null"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("project_id", "name", "number", name=op.f("uq_model_project_id_name_number")),
    )
    op.create_index(op.f("ix_model_project_id"), "model", ["project_id"], unique=False)
    op.create_index(op.f("ix_model_result_id"), "model", ["result_id"], unique=False)
    op.create_index(op.f("ix_model_version_id"), "model", ["version_id"], unique=False)
    op.create_table(
        "version_file",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_file.id"], name=op.f("fk_version_file_file_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_version.id"], name=op.f("fk_version_file_version_id"), ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("version_id", "file_id", name=op.f("pk_version_file")),
    )
    op.create_index(op.f("ix_version_file_file_id"), "version_file", ["file_id"], unique=False)
    op.create_table(
        "run",
        kinds.project(),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("request", kinds.JSON, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        kinds.moment("expires_at", nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_run_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_run_job_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_run_model_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_run_project_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_run_result_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_version.id"], name=op.f("fk_run_version_id"), ondelete="set null"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_model_id"), "run", ["model_id"], unique=False)
    op.create_index(op.f("ix_run_project_id"), "run", ["project_id"], unique=False)
    op.create_index(op.f("ix_run_result_id"), "run", ["result_id"], unique=False)
    op.create_index(op.f("ix_run_version_id"), "run", ["version_id"], unique=False)
    op.create_table(
        "export",
        kinds.project(),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_export_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_export_job_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_export_project_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_export_result_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_export_run_id"), ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_project_id"), "export", ["project_id"], unique=False)
    op.create_index(op.f("ix_export_result_id"), "export", ["result_id"], unique=False)
    op.create_index(op.f("ix_export_run_id"), "export", ["run_id"], unique=False)
    op.create_table(
        "validation",
        kinds.project(),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("baseline_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        kinds.identity(),
        kinds.moment("created_at"),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["dataset_version.id"], name=op.f("fk_validation_baseline_id"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_validation_created_by"), ondelete="set null"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_validation_job_id"), ondelete="set null"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_validation_project_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(["result_id"], ["result.id"], name=op.f("fk_validation_result_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_validation_run_id"), ondelete="cascade"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_version.id"], name=op.f("fk_validation_version_id"), ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation")),
    )
    op.create_index(op.f("ix_validation_project_id"), "validation", ["project_id"], unique=False)
    op.create_index(op.f("ix_validation_result_id"), "validation", ["result_id"], unique=False)
    op.create_index(op.f("ix_validation_run_id"), "validation", ["run_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_validation_run_id"), table_name="validation")
    op.drop_index(op.f("ix_validation_result_id"), table_name="validation")
    op.drop_index(op.f("ix_validation_project_id"), table_name="validation")
    op.drop_table("validation")
    op.drop_index(op.f("ix_export_run_id"), table_name="export")
    op.drop_index(op.f("ix_export_result_id"), table_name="export")
    op.drop_index(op.f("ix_export_project_id"), table_name="export")
    op.drop_table("export")
    op.drop_index(op.f("ix_run_version_id"), table_name="run")
    op.drop_index(op.f("ix_run_result_id"), table_name="run")
    op.drop_index(op.f("ix_run_project_id"), table_name="run")
    op.drop_index(op.f("ix_run_model_id"), table_name="run")
    op.drop_table("run")
    op.drop_index(op.f("ix_version_file_file_id"), table_name="version_file")
    op.drop_table("version_file")
    op.drop_index(op.f("ix_model_version_id"), table_name="model")
    op.drop_index(op.f("ix_model_result_id"), table_name="model")
    op.drop_index(op.f("ix_model_project_id"), table_name="model")
    op.drop_table("model")
    op.drop_index(op.f("ix_analysis_version_id"), table_name="analysis")
    op.drop_index(op.f("ix_analysis_result_id"), table_name="analysis")
    op.drop_index(op.f("ix_analysis_project_id"), table_name="analysis")
    op.drop_table("analysis")
    op.drop_index(op.f("ix_upload_project_id"), table_name="upload")
    op.drop_index(op.f("ix_upload_dataset_id"), table_name="upload")
    op.drop_table("upload")
    op.drop_index(op.f("ix_stored_file_project_id"), table_name="stored_file")
    op.drop_index(op.f("ix_stored_file_dataset_id"), table_name="stored_file")
    op.drop_table("stored_file")
    op.drop_table("result_file")
    op.drop_table("job_event")
    op.drop_index(op.f("ix_dataset_version_result_id"), table_name="dataset_version")
    op.drop_index(op.f("ix_dataset_version_project_id"), table_name="dataset_version")
    op.drop_table("dataset_version")
    op.drop_index("ix_result_lookup", table_name="result")
    op.drop_table("result")
    op.drop_index(op.f("ix_job_subject_id"), table_name="job")
    op.drop_index(op.f("ix_job_project_id"), table_name="job")
    op.drop_index("ix_job_claim", table_name="job")
    op.drop_index(op.f("ix_job_after_id"), table_name="job")
    op.drop_table("job")
    op.drop_index(op.f("ix_dataset_project_id"), table_name="dataset")
    op.drop_table("dataset")
    op.drop_table("deletion")
