"""Use cases over the ports: files, scores, transcripts, whole stores. They know no backend."""

from simstore.services.agreements import (
    Agreement,
    DimensionAgreement,
    agreement,
    annotation_agreement,
)
from simstore.services.annotations import map_human_annotations_to_episode_logs
from simstore.services.diagnosis import Diagnosis, diagnose
from simstore.services.evaluation import EvaluationDimensionBuilder
from simstore.services.exporting import export_records
from simstore.services.findings import Findings
from simstore.services.importing import ImportReport, import_records
from simstore.services.leaderboards import (
    Cell,
    Comparison,
    DimensionComparison,
    Leaderboard,
    LeaderboardRow,
    compare_models,
    comparison_to_csv,
    comparison_to_json,
    comparison_to_latex,
    comparison_to_markdown,
    leaderboard,
    leaderboard_to_csv,
    leaderboard_to_json,
    leaderboard_to_latex,
    leaderboard_to_markdown,
    leaderboard_to_sotopia_jsonl,
)
from simstore.services.progress import OnProgress, Progress
from simstore.services.rendering.html import transcript_html
from simstore.services.rendering.markdown import transcript_markdown
from simstore.services.rendering.text import render_for_humans, social_interactions
from simstore.services.rendering.transcript import Transcript, transcript_of
from simstore.services.reward_table import (
    pandas_reward_frame,
    polars_reward_frame,
    reward_rows,
)
from simstore.services.rewards import (
    AgentReward,
    Missing,
    MissingReason,
    extract_rewards,
    get_rewards_from_episode,
)
from simstore.services.sotopia_files.csv_tables import (
    agentprofiles_to_csv,
    csv_to_agentprofiles,
    csv_to_envagnetcombostorage,
    csv_to_environmentprofiles,
    csv_to_episodes,
    csv_to_relationshipprofiles,
    envagnetcombostorage_to_csv,
    environmentprofiles_to_csv,
    episodes_to_csv,
    relationshipprofiles_to_csv,
)
from simstore.services.sotopia_files.exporting import export_sotopia
from simstore.services.sotopia_files.jsonl import (
    agentprofiles_to_jsonl,
    envagnetcombostorage_to_jsonl,
    environmentprofiles_to_jsonl,
    episodes_to_jsonl,
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
    relationshipprofiles_to_jsonl,
)
from simstore.services.transfer import (
    CopyReport,
    StoreComparison,
    compare_stores,
    copy_store,
)

__all__ = [
    "AgentReward",
    "Agreement",
    "Cell",
    "Comparison",
    "CopyReport",
    "Diagnosis",
    "DimensionAgreement",
    "DimensionComparison",
    "EvaluationDimensionBuilder",
    "Findings",
    "ImportReport",
    "Leaderboard",
    "LeaderboardRow",
    "Missing",
    "MissingReason",
    "OnProgress",
    "Progress",
    "StoreComparison",
    "Transcript",
    "agentprofiles_to_csv",
    "agentprofiles_to_jsonl",
    "agreement",
    "annotation_agreement",
    "compare_models",
    "compare_stores",
    "comparison_to_csv",
    "comparison_to_json",
    "comparison_to_latex",
    "comparison_to_markdown",
    "copy_store",
    "csv_to_agentprofiles",
    "csv_to_envagnetcombostorage",
    "csv_to_environmentprofiles",
    "csv_to_episodes",
    "csv_to_relationshipprofiles",
    "diagnose",
    "envagnetcombostorage_to_csv",
    "envagnetcombostorage_to_jsonl",
    "environmentprofiles_to_csv",
    "environmentprofiles_to_jsonl",
    "episodes_to_csv",
    "episodes_to_jsonl",
    "export_records",
    "export_sotopia",
    "extract_rewards",
    "get_rewards_from_episode",
    "import_records",
    "jsonl_to_agentprofiles",
    "jsonl_to_envagnetcombostorage",
    "jsonl_to_environmentprofiles",
    "jsonl_to_episodes",
    "jsonl_to_relationshipprofiles",
    "leaderboard",
    "leaderboard_to_csv",
    "leaderboard_to_json",
    "leaderboard_to_latex",
    "leaderboard_to_markdown",
    "leaderboard_to_sotopia_jsonl",
    "map_human_annotations_to_episode_logs",
    "pandas_reward_frame",
    "polars_reward_frame",
    "relationshipprofiles_to_csv",
    "relationshipprofiles_to_jsonl",
    "render_for_humans",
    "reward_rows",
    "social_interactions",
    "transcript_html",
    "transcript_markdown",
    "transcript_of",
]
