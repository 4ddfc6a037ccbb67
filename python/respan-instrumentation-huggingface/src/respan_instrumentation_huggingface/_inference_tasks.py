"""The methods of huggingface_hub's clients that run a model."""

from __future__ import annotations

# method -> (operation, log type)
TASKS = {
    "audio_classification": ("audio_classification", "generation"),
    "audio_to_audio": ("audio_to_audio", "generation"),
    "automatic_speech_recognition": ("automatic_speech_recognition", "transcription"),
    "chat_completion": ("chat", "chat"),
    "document_question_answering": ("document_question_answering", "text"),
    "feature_extraction": ("embeddings", "embedding"),
    "fill_mask": ("fill_mask", "text"),
    "image_classification": ("image_classification", "generation"),
    "image_segmentation": ("image_segmentation", "generation"),
    "image_to_image": ("image_to_image", "generation"),
    "image_to_text": ("image_to_text", "text"),
    "image_to_video": ("image_to_video", "generation"),
    "object_detection": ("object_detection", "generation"),
    "question_answering": ("question_answering", "text"),
    "sentence_similarity": ("sentence_similarity", "embedding"),
    "summarization": ("summarization", "text"),
    "table_question_answering": ("table_question_answering", "text"),
    "tabular_classification": ("tabular_classification", "generation"),
    "tabular_regression": ("tabular_regression", "generation"),
    "text_classification": ("text_classification", "generation"),
    "text_generation": ("text_completion", "text"),
    "text_to_image": ("text_to_image", "generation"),
    "text_to_speech": ("text_to_speech", "speech"),
    "text_to_video": ("text_to_video", "generation"),
    "token_classification": ("token_classification", "generation"),
    "translation": ("translation", "text"),
    "visual_question_answering": ("visual_question_answering", "text"),
    "zero_shot_classification": ("zero_shot_classification", "generation"),
    "zero_shot_image_classification": ("zero_shot_image_classification", "generation"),
}
REQUEST_TYPES = {"chat": "chat", "text_completion": "completion", "embeddings": "embedding"}
